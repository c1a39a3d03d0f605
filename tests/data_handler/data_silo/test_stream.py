"""A training set that is read while it is trained on."""

import gzip

import pytest

from farm_ray.data_handler.data_silo import DataSilo
from farm_ray.data_handler.processor import BertStyleLMProcessor
from tests.stream_runs import (
    documents_stream,
    write_documents,
)
from tests.tiny import tiny_tokenizer


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
