import json
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from farm_ray.data_handler.file_to_dicts.splits import Split
from farm_ray.data_handler.processor import TextClassificationProcessor
from farm_ray.errors import ConfigError
from tests.data_handler.processor.user_processors import ThirdPartyReader
from tests.raised import raised


def test_empty_file_gives_an_empty_table(lines, tmp_path):
    (tmp_path / "empty.txt").write_text("")
    (table,) = lines.read(Split(str(tmp_path / "empty.txt")))
    assert lines.featurize(table).num_rows == 0
    (full,) = lines.read(Split(str(tmp_path / "train.txt")))
    assert table.schema == full.schema


def test_large_files_come_in_parts_with_one_count(lines, tmp_path, monkeypatch):
    monkeypatch.setattr("farm_ray.data_handler.processor.files.ROWS_PER_TABLE", 2)
    tables = list(lines.read(Split(str(tmp_path / "train.txt"))))
    assert [table.num_rows for table in tables] == [2, 1]
    assert pa.concat_tables(tables)["id"].to_pylist() == ["train.txt:1", "train.txt:2", "train.txt:3"]


def test_overridden_reader_is_used_for_tables(make, tmp_path):
    (tmp_path / "a.tsv").write_text("text\tlabel\na good film\tOTHER\nskip me\tOTHER\na fool\tOFFENSE\n")
    (table,) = make(ThirdPartyReader).read(Split(str(tmp_path / "a.tsv")))
    assert table["text"].to_pylist() == ["a good film", "a fool"]
    assert table["text_classification_label"].to_pylist() == ["OTHER", "OFFENSE"]


class WordsReader(TextClassificationProcessor):
    def file_to_dicts(self, file):
        return [{"text": word} for word in Path(file).read_text().split()]


def test_a_sample_of_a_reader_of_ones_own(make, tmp_path):
    (tmp_path / "train.txt").write_text("a bad film")

    def rows(**settings):
        tables = make(WordsReader, **settings).read(Split(str(tmp_path / "train.txt")))
        return [row for table in tables for row in table["text"].to_pylist()]

    assert rows() == rows(max_samples=3) == rows(max_samples=99) == ["a", "bad", "film"]
    assert len(rows(max_samples=2)) == 2
    assert rows(max_samples=2) == rows(max_samples=2)


class OwnSamples(TextClassificationProcessor):
    def _dict_to_samples(self, dictionary, **_):
        raise NotImplementedError


@pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
@pytest.mark.parametrize("nested", [["a", "b"], [], {"a": "b"}])
def test_a_list_in_place_of_a_text_is_a_problem_and_not_its_json(make, tmp_path, suffix, nested):
    path = tmp_path / f"a.{suffix}"
    rows = [{"text": nested, "label": "OTHER"}, {"text": None, "label": "OTHER"}]
    if suffix == "jsonl":
        path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    else:
        pq.write_table(pa.Table.from_pylist(rows), path)
    (table,) = make(TextClassificationProcessor).read(Split(str(path)))
    first, second = table["problem"].to_pylist()
    found = "an object" if isinstance(nested, dict) else "a list"
    assert first["message"] == f'a.{suffix}:1 holds {found} in the column "text"; write it as one text'
    assert (first["kind"], second) == ("not a text", None)
    (table,) = make(OwnSamples).read(Split(str(path)))
    assert table["text"].to_pylist() == [json.dumps(nested), None]
    assert table["problem"].null_count == 2


class WhateverReader(TextClassificationProcessor):
    given = None

    def file_to_dicts(self, file):
        return self.given


def test_what_a_reader_of_ones_own_returns(make, monkeypatch):
    reader = make(WhateverReader)
    monkeypatch.setattr(WhateverReader, "given", pd.DataFrame({"text": ["a", "b"], "label": ["OTHER", None]}))
    (table,) = reader.read(Split("a.tsv"))
    assert table["text"].to_pylist() == ["a", "b"]
    assert table["id"].to_pylist() == ["a.tsv:1", "a.tsv:2"]
    for wrong in (None, {"text": "a"}, "a text"):
        monkeypatch.setattr(WhateverReader, "given", wrong)
        with raised(ConfigError, "invalid-value", option="the result of WhateverReader.file_to_dicts"):
            next(reader.read(Split("a.tsv")))
