"""StreamingDataSilo: plans, estimates, a pass in this process, rows quarantined, and what it refuses."""

import gzip

import numpy as np
import pytest

from farm_ray.data_handler.data_silo import DataSilo, StreamingDataSilo
from farm_ray.data_handler.processor import BertStyleLMProcessor, RegressionProcessor
from farm_ray.errors import ConfigError, DataProblemError
from tests.runs import BrokenOffError, break_off_after, small_trainer
from tests.stream_runs import (
    SENTENCES,
    documents_stream,
    small_lm_trainer,
    stream_run,
    text_stream,
    write_documents,
    write_tables,
)
from tests.tiny import tiny_tokenizer


def test_a_file_is_cut_into_ranges_and_its_rows_are_estimated(tiny_folder, tmp_path):
    write_documents(tmp_path / "train.txt")
    silo = documents_stream(tiny_folder, tmp_path)
    size = (tmp_path / "train.txt").stat().st_size
    assert abs(len(silo.stream.ranges) - size / 1000) <= 1
    assert silo.stream.one_window_each
    rows = sum(len(batch["input_ids"]) for batch in silo.get_data_loader("train"))
    assert silo.n_samples("train") == silo.counts["train"] == pytest.approx(rows, rel=0.1)
    assert silo.statistics()["n_samples_train"] == silo.n_samples("train")
    assert len(silo.get_data_loader("train")) == -(-silo.n_samples("train") // 8)


def test_a_pass_holds_the_rows_that_a_silo_in_memory_holds(tiny_folder, tmp_path):
    write_documents(tmp_path / "train.txt", documents=60)
    settings = {"next_sent_pred": False, "packing": False, "masked_lm_prob": 0.1}
    silo = documents_stream(tiny_folder, tmp_path, processor=settings)
    whole = DataSilo(
        BertStyleLMProcessor(
            tiny_tokenizer(tiny_folder), 24, tmp_path, dev_filename=None, test_filename=None, **settings
        ),
        batch_size=8,
    )
    assert rows_of(silo.get_data_loader("train")) == rows_of(whole.get_data_loader("train"))


def rows_of(loader):
    """All rows as their masked tokens, sorted."""
    return sorted(
        tuple(ids[mask == 1].tolist())
        for batch in loader
        for ids, mask in zip(batch["input_ids"], batch["padding_mask"], strict=True)
    )


def test_epochs_mask_and_pair_anew(tiny_folder, tmp_path):
    write_documents(tmp_path / "train.txt", documents=60)
    loader = documents_stream(tiny_folder, tmp_path).get_data_loader("train")
    first = rows_of(loader)
    loader.set_epoch(0)
    assert rows_of(loader) == first
    loader.set_epoch(1)
    assert rows_of(loader) != first


def test_compressed_files_are_a_lane_each(tiny_folder, tmp_path):
    for name in ("a", "b", "c"):
        plain = write_documents(tmp_path / f"{name}.txt", documents=80)
        (tmp_path / f"{name}.txt.gz").write_bytes(gzip.compress(plain.read_bytes()))
        plain.unlink()
    silo = documents_stream(tiny_folder, tmp_path, processor={"train_filename": "*.txt.gz"}, lanes=None)
    assert silo.stream.lanes == 3
    assert not silo.stream.one_window_each
    rows = sum(len(batch["input_ids"]) for batch in silo.get_data_loader("train"))
    assert rows == pytest.approx(silo.n_samples("train"), rel=0.3)


def test_files_of_one_name_in_several_folders_keep_their_rows_apart(tiny_folder, tmp_path):
    for folder in "ab":
        write_documents(tmp_path / folder / "train.txt", documents=20)
    silo = documents_stream(tiny_folder, tmp_path, processor={"train_filename": "*/train.txt"})
    assert {name.partition("@")[0] for name in silo.stream.names} == {"a/train.txt", "b/train.txt"}
    ids = [
        name
        for window in silo.stream.windows(silo.stream.order(8).readings(0, range(4)), lanes=4)
        for name in window.features["id"].to_pylist()
    ]
    assert len(set(ids)) == len(ids)
    assert {name[:2] for name in ids} == {"a/", "b/"}


@pytest.mark.parametrize("suffix", ["txt", "txt.gz"])
@pytest.mark.parametrize("kind", [DataSilo, StreamingDataSilo])
def test_files_of_one_document_each_lend_to_each_other(tiny_folder, tmp_path, suffix, kind):
    for number in range(5):
        text = "\n".join([SENTENCES[number]] * 12)
        packed = gzip.compress(text.encode()) if suffix.endswith("gz") else text.encode()
        (tmp_path / f"{number}.{suffix}").write_bytes(packed)
    made = BertStyleLMProcessor(
        tiny_tokenizer(tiny_folder), 24, tmp_path, f"*.{suffix}", dev_filename=None, test_filename=None
    )
    batches = list(kind(made, batch_size=8).get_data_loader("train"))
    labels = np.concatenate([batch["nextsentence_label_ids"].numpy().ravel() for batch in batches])
    assert 0 < labels.mean() < 1


def test_bad_rows_are_quarantined_and_told(tiny_folder, tmp_path):
    data = write_tables(tmp_path / "data")
    with (data / "part-3.tsv").open("a") as file:
        file.write("a film\tunknown\n")
    with pytest.raises(DataProblemError, match=r'part-3\.tsv:\d+.*"unknown".*max_problem_share'):
        stream_run(tiny_folder, data)
    silo = text_stream(tiny_folder, data, max_problem_share=0.1, problems_dir=tmp_path)
    trainer = small_trainer(tiny_folder, silo=silo)
    trainer.train()
    assert trainer.result.problems.num_rows == 1
    assert silo.problem_counts() == {"unknown label": 1}
    assert (tmp_path / "problems.parquet").is_file()


def test_what_a_stream_cannot_do_is_refused(tiny_folder, tmp_path):
    data = write_tables(tmp_path / "data")
    with pytest.raises(ConfigError, match="cannot be counted on a stream"):
        text_stream(tiny_folder, data).calculate_class_weights("text_classification")
    with pytest.raises(ConfigError, match="cannot be taken from a stream; give a dev_filename"):
        documents_stream(tiny_folder, tmp_path, processor={"dev_split": 0.1})
    with pytest.raises(ConfigError, match="a stream is read from files"):
        text_stream(tiny_folder, data)._load_data(train_dicts=[])
    with pytest.raises(ConfigError, match="must be at least 1"):
        text_stream(tiny_folder, data, lanes=0)
    with pytest.raises(ConfigError, match="give fewer lanes or a larger batch_size"):
        next(iter(text_stream(tiny_folder, data, lanes=9).get_data_loader("train")))


def test_more_workers_than_lanes_are_refused_before_any_starts(tiny_folder, tmp_path):
    silo = text_stream(tiny_folder, write_tables(tmp_path / "data"))
    with pytest.raises(ConfigError, match=r"each of 5 workers needs a lane .* lanes=4"):
        small_trainer(tiny_folder, silo=silo, num_workers=5)


def test_fewer_documents_than_lanes_are_enough(tiny_folder, tmp_path):
    write_documents(tmp_path / "train.txt", documents=3)
    silo = documents_stream(tiny_folder, tmp_path, lanes=8)
    trainer = small_lm_trainer(tiny_folder, silo)
    trainer.train()
    assert trainer.result.rows >= 3


def test_an_empty_corpus_is_refused(tiny_folder, tmp_path):
    (tmp_path / "train.txt").write_text("")
    with pytest.raises(DataProblemError, match=r"train\.txt.* is empty"):
        documents_stream(tiny_folder, tmp_path)
    (tmp_path / "train.txt").write_text("\n  \n\n")
    with pytest.raises(DataProblemError, match=r"train\.txt"):
        documents_stream(tiny_folder, tmp_path)


def test_scaling_is_measured_before_a_regression_is_streamed(tiny_folder, tmp_path):
    rows = "".join(f"the film was good\t{number}\n" for number in range(30))
    (tmp_path / "train.tsv").write_text("text\tlabel\n" + rows)
    made = RegressionProcessor(tiny_tokenizer(tiny_folder), 16, tmp_path, test_filename=None, dev_split=0.0)
    silo = StreamingDataSilo(made, batch_size=8)
    labels = np.concatenate([batch["regression_label_ids"].numpy() for batch in silo.get_data_loader("train")])
    assert (labels.mean(), labels.std()) == pytest.approx((0.0, 1.0), abs=1e-5)


def test_a_file_damaged_near_its_begin_is_estimated_and_quarantined(tiny_folder, tmp_path):
    packed = gzip.compress(write_documents(tmp_path / "train.txt").read_bytes())
    (tmp_path / "a.txt.gz").write_bytes(packed[: len(packed) // 2])
    (tmp_path / "b.txt.gz").write_bytes(packed)
    files = {"train_filename": "*.txt.gz"}
    silo = documents_stream(tiny_folder, tmp_path, processor=files, lanes=None, max_problem_share=0.5)
    assert sum(len(batch["input_ids"]) for batch in silo.get_data_loader("train")) > 0
    with pytest.raises(DataProblemError, match=r"a\.txt\.gz: the compressed file breaks off"):
        documents_stream(tiny_folder, tmp_path, processor=files, lanes=None)


def test_bad_rows_before_and_after_a_stop_are_told_once(tiny_folder, tmp_path):
    data = write_tables(tmp_path / "data")
    for number in (1, 4, 5):
        with (data / f"part-{number}.tsv").open("a") as file:
            file.write("a film\tunknown\n")
    stream = {"max_problem_share": 3 / 200}
    unbroken, _ = stream_run(tiny_folder, data, stream=stream, epochs=1)
    # The windows of all three have begun by then.
    for stop_after in (3, 12):
        with pytest.raises(BrokenOffError):
            stream_run(
                tiny_folder,
                data,
                stream=stream,
                epochs=1,
                checkpoint_every=1,
                checkpoint_root_dir=tmp_path / str(stop_after),
                progress=break_off_after(stop_after),
            )
        resumed, _ = stream_run(
            tiny_folder, data, stream=stream, epochs=1, checkpoint_root_dir=tmp_path / str(stop_after)
        )
        assert resumed.resumed_from is not None
        assert sorted(resumed.problems["id"].to_pylist()) == sorted(unbroken.problems["id"].to_pylist())
        assert resumed.problems.num_rows == 3
