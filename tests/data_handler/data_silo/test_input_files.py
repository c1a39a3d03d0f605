"""Which files the sets are read from, all found before the first one is read."""

import socket
from pathlib import Path

import pytest

from farm_ray.data_handler.data_silo import DataSilo, StreamingDataSilo
from farm_ray.data_handler.processor import TextClassificationProcessor
from farm_ray.errors import DataProblemError
from tests.data_handler.data_silo.small_files import lines, processor
from tests.raised import raised


def test_empty_parts_of_a_folder_are_told_and_left_out(tokenizer, tmp_path, caplog):
    folder = tmp_path / "train"
    folder.mkdir()
    for number, content in enumerate([lines(20), "text\tlabel\n", "", lines(20)]):
        (folder / f"part-{number}.tsv").write_text(content)
    (folder / "_SUCCESS").touch()
    made = processor(tokenizer, tmp_path, train_filename="train")
    assert DataSilo(made, batch_size=8).counts == {"train": 36, "dev": 4, "test": 0}
    (told,) = [message for message in caplog.messages if "no rows" in message]
    assert told == f"{folder}/part-1.tsv, {folder}/part-2.tsv: no rows, left out"
    streamed = processor(tokenizer, tmp_path, train_filename="train", dev_split=0)
    assert [one.file for one in StreamingDataSilo(streamed, batch_size=8).stream.ranges] == [
        f"{folder}/part-{number}.tsv" for number in (0, 3)
    ]
    for number in (0, 3):
        (folder / f"part-{number}.tsv").write_text("text\tlabel\n")
    with raised(DataProblemError, "empty-file", file="part-0.tsv"):
        DataSilo(made, batch_size=8)


def test_a_path_that_is_there_is_not_looked_for_in_the_data_folder(tokenizer, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    for place in ("mine.tsv", "data/only.tsv"):
        (tmp_path / place).write_text(lines(20))
    for filename, rows in ((Path("mine.tsv"), 20), (Path("data/only.tsv"), 20), (Path("only.tsv"), 20)):
        made = processor(tokenizer, "data", train_filename=filename, dev_split=0)
        assert DataSilo(made, batch_size=8).n_samples("train") == rows
    (tmp_path / "data/mine.tsv").write_text(lines(10))
    both = processor(tokenizer, "data", train_filename=Path("mine.tsv"), dev_split=0)
    assert DataSilo(both, batch_size=8).n_samples("train") == 10
    with raised(DataProblemError, "folder-not-found", file="data/data/only.tsv"):
        DataSilo(processor(tokenizer, "data", train_filename="data/only.tsv", dev_split=0), batch_size=8)
    made.save(tmp_path / "saved")
    assert TextClassificationProcessor.load_from_dir(str(tmp_path / "saved")).train_filename == "only.tsv"


def test_no_test_file_is_fine_only_under_its_default_name(tokenizer, tmp_path):
    (tmp_path / "train.tsv").write_text(lines(40))
    assert DataSilo(processor(tokenizer, tmp_path), batch_size=8).get_data_loader("test") is None
    with raised(DataProblemError, "file-not-found", file="mine.tsv"):
        DataSilo(processor(tokenizer, tmp_path, test_filename="mine.tsv"), batch_size=8)


@pytest.mark.parametrize("missing", ["dev", "test"])
def test_a_missing_file_is_found_before_any_work(tokenizer, tmp_path, missing, monkeypatch):
    (tmp_path / "train.tsv").write_text(lines(40))
    made = processor(tokenizer, tmp_path, **{f"{missing}_filename": "mine.tsv"})
    monkeypatch.setattr(type(made), "read", lambda *_: pytest.fail("the training data was read"))
    with raised(DataProblemError, "file-not-found", file="mine.tsv"):
        DataSilo(made, batch_size=8)


def test_a_missing_web_page_is_found_before_any_work(tokenizer, tmp_path, monkeypatch):
    (tmp_path / "train.tsv").write_text(lines(40))
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{sock.getsockname()[1]}/dev.tsv"
    made = processor(tokenizer, tmp_path, dev_filename=address)
    monkeypatch.setattr(type(made), "read", lambda *_: pytest.fail("the training data was read"))
    with pytest.raises(DataProblemError, match=address):
        DataSilo(made, batch_size=8)
