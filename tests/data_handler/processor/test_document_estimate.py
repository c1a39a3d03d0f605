"""How many rows a corpus gives, from its first documents."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from farm_ray.data_handler.file_to_dicts.splits import Split
from tests.data_handler.processor.small_corpus import maker


@pytest.fixture
def make(tokenizer, tmp_path):
    return maker(tokenizer, tmp_path)


@pytest.mark.parametrize(
    ("settings", "rows"),
    [({"next_sent_pred_style": "sentence"}, 7), ({"next_sent_pred": False, "packing": False, "max_seq_len": 7}, 7)],
)
def test_estimates(make, tmp_path, settings, rows):
    """FARM's example: 3 documents with 3 sentences each are estimated at 7 pairs of sentences."""
    assert make(**settings).estimate_n_samples(tmp_path / "train.txt") == rows


def test_estimates_from_the_first_documents(make, tmp_path):
    many = [{"text": ["a good film"] * 3} for _ in range(500)]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, many)))
    (tmp_path / "a.txt").write_text("\n\n\n".join("\n".join(row["text"]) for row in many))
    pq.write_table(pa.Table.from_pylist(many), tmp_path / "a.parquet")
    (tmp_path / "a.json").write_text(json.dumps(many))
    for settings in ({}, {"next_sent_pred": False}, {"next_sent_pred_style": "sentence", "max_docs": 400}):
        processor = make(**settings)
        for name in ("a.jsonl", "a.txt", "a.parquet", "a.json"):
            path = tmp_path / name
            exact = sum(processor.featurize(table).num_rows for table in processor.read(Split(str(path))))
            assert processor.estimate_n_samples(path, max_docs=100) == pytest.approx(exact, rel=0.1)
