"""StreamingDataSilo: plans, estimates, a pass in this process, rows quarantined, and what it refuses."""

import gzip

import numpy as np
import pytest

from farm_ray.data_handler.data_silo import DataSilo, StreamingDataSilo
from farm_ray.data_handler.processor import BertStyleLMProcessor, RegressionProcessor
from farm_ray.errors import ConfigError
from tests.raised import raised
from tests.runs import small_trainer
from tests.stream_runs import (
    SENTENCES,
    documents_stream,
    small_lm_trainer,
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


def test_what_a_stream_cannot_do_is_refused(tiny_folder, tmp_path):
    data = write_tables(tmp_path / "data")
    with raised(ConfigError, "stream-has-no-counts"):
        text_stream(tiny_folder, data).calculate_class_weights("text_classification")
    with pytest.raises(ConfigError, match="cannot be taken from a stream; give a dev_filename"):
        documents_stream(tiny_folder, tmp_path, processor={"dev_split": 0.1})
    with raised(ConfigError, "stream-needs-files"):
        text_stream(tiny_folder, data)._load_data(train_dicts=[])
    with raised(ConfigError, "invalid-value", option="lanes", value=0):
        text_stream(tiny_folder, data, lanes=0)
    with pytest.raises(ConfigError, match="give fewer lanes or a larger batch_size"):
        next(iter(text_stream(tiny_folder, data, lanes=9).get_data_loader("train")))


def test_more_workers_than_lanes_are_refused_before_any_starts(tiny_folder, tmp_path):
    silo = text_stream(tiny_folder, write_tables(tmp_path / "data"))
    with raised(ConfigError, "more-workers-than-lanes", value=5, lanes=4):
        small_trainer(tiny_folder, silo=silo, num_workers=5)


def test_fewer_documents_than_lanes_are_enough(tiny_folder, tmp_path):
    write_documents(tmp_path / "train.txt", documents=3)
    silo = documents_stream(tiny_folder, tmp_path, lanes=8)
    trainer = small_lm_trainer(tiny_folder, silo)
    trainer.train()
    assert trainer.result.rows >= 3


def test_scaling_is_measured_before_a_regression_is_streamed(tiny_folder, tmp_path):
    rows = "".join(f"the film was good\t{number}\n" for number in range(30))
    (tmp_path / "train.tsv").write_text("text\tlabel\n" + rows)
    made = RegressionProcessor(tiny_tokenizer(tiny_folder), 16, tmp_path, test_filename=None, dev_split=0.0)
    silo = StreamingDataSilo(made, batch_size=8)
    labels = np.concatenate([batch["regression_label_ids"].numpy() for batch in silo.get_data_loader("train")])
    assert (labels.mean(), labels.std()) == pytest.approx((0.0, 1.0), abs=1e-5)
