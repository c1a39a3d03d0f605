"""How many rows a corpus gives, from samples of it."""

import gzip

import pytest

from farm_ray.errors import DataProblemError
from tests.raised import raised
from tests.stream_runs import (
    documents_stream,
    write_documents,
)


def test_an_empty_corpus_is_refused(tiny_folder, tmp_path):
    (tmp_path / "train.txt").write_text("")
    with raised(DataProblemError, "no-rows", set="train", file="train.txt"):
        documents_stream(tiny_folder, tmp_path)
    (tmp_path / "train.txt").write_text("\n  \n\n")
    with raised(DataProblemError, "no-usable-text", file="train.txt"):
        documents_stream(tiny_folder, tmp_path)


def test_a_file_damaged_near_its_begin_is_estimated_and_quarantined(tiny_folder, tmp_path):
    packed = gzip.compress(write_documents(tmp_path / "train.txt").read_bytes())
    (tmp_path / "a.txt.gz").write_bytes(packed[: len(packed) // 2])
    (tmp_path / "b.txt.gz").write_bytes(packed)
    files = {"train_filename": "*.txt.gz"}
    silo = documents_stream(tiny_folder, tmp_path, processor=files, lanes=None, max_problem_share=0.5)
    assert sum(len(batch["input_ids"]) for batch in silo.get_data_loader("train")) > 0
    with pytest.raises(DataProblemError, match=r"a\.txt\.gz: the compressed file breaks off"):
        documents_stream(tiny_folder, tmp_path, processor=files, lanes=None)
