from pathlib import Path

import pyarrow as pa

from farm_ray.data_handler.processor import TextClassificationProcessor
from tests.data_handler.processor.user_processors import ThirdPartyReader


def test_empty_file_gives_an_empty_table(lines, tmp_path):
    (tmp_path / "empty.txt").write_text("")
    (table,) = lines.read_tables(str(tmp_path / "empty.txt"))
    assert lines.featurize(table).num_rows == 0
    (full,) = lines.read_tables(str(tmp_path / "train.txt"))
    assert table.schema == full.schema


def test_large_files_come_in_parts_with_one_count(lines, tmp_path, monkeypatch):
    monkeypatch.setattr("farm_ray.data_handler.processor.files.ROWS_PER_TABLE", 2)
    tables = list(lines.read_tables(str(tmp_path / "train.txt")))
    assert [table.num_rows for table in tables] == [2, 1]
    assert pa.concat_tables(tables)["id"].to_pylist() == ["train.txt:1", "train.txt:2", "train.txt:3"]


def test_overridden_reader_is_used_for_tables(make, tmp_path):
    (tmp_path / "a.tsv").write_text("text\tlabel\na good film\tOTHER\nskip me\tOTHER\na fool\tOFFENSE\n")
    (table,) = make(ThirdPartyReader).read_tables(str(tmp_path / "a.tsv"))
    assert table["text"].to_pylist() == ["a good film", "a fool"]
    assert table["text_classification_label"].to_pylist() == ["OTHER", "OFFENSE"]


class WordsReader(TextClassificationProcessor):
    def file_to_dicts(self, file):
        return [{"text": word} for word in Path(file).read_text().split()]


def test_a_sample_of_a_reader_of_ones_own(make, tmp_path):
    (tmp_path / "train.txt").write_text("a bad film")

    def rows(**settings):
        tables = make(WordsReader, **settings).read_tables(str(tmp_path / "train.txt"))
        return [row for table in tables for row in table["text"].to_pylist()]

    assert rows() == rows(max_samples=3) == rows(max_samples=99) == ["a", "bad", "film"]
    assert len(rows(max_samples=2)) == 2
    assert rows(max_samples=2) == rows(max_samples=2)
