"""Units and tables of some files: cut by the files alone, the same from wherever one goes on."""

import functools
import gzip

import pytest

from farm_ray import storage
from farm_ray.data_handler.data_silo import units
from farm_ray.data_handler.data_silo.file_source import TravellingProcessor
from farm_ray.data_handler.data_silo.unit_source import boxes_on_ray, tables_in_order
from farm_ray.data_handler.data_silo.units import FileRows
from farm_ray.data_handler.file_to_dicts.ranges import count_lines, cut_at_blank_lines
from farm_ray.data_handler.processor import NERProcessor, TextClassificationProcessor, ner
from tests.tiny import tiny_tokenizer


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    return tiny_tokenizer(tmp_path_factory.mktemp("bert"))


def rows_of(processor, folder, rows=10):
    files = storage.list_files(folder)
    states = storage.file_states(files)
    return FileRows(
        processor=processor, files=tuple(files), sizes=tuple(state.size for state in states), rows_per_table=rows
    )


@pytest.fixture
def texts(tokenizer, tmp_path, monkeypatch):
    """Files of 25, 3, 1, 4, 40 and 2 rows, the second last one compressed; below 100 bytes they are read together."""
    monkeypatch.setattr(units, "UNIT_BYTES", 100)
    for name, rows in {"a.tsv": 25, "b.tsv": 3, "c.tsv": 1, "d.tsv": 4, "e.tsv.gz": 40, "f.tsv": 2}.items():
        content = ("text\n" + "".join(f"the film {number % 10}\n" for number in range(rows))).encode()
        (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    processor = TextClassificationProcessor(tokenizer, 16, None).for_inference().frozen()
    return rows_of(processor, tmp_path)


@pytest.fixture
def words(tokenizer, tmp_path, monkeypatch):
    """A file that is cut into ranges, and a small one."""
    monkeypatch.setattr(ner, "cut_at_blank_lines", functools.partial(cut_at_blank_lines, range_bytes=400))
    monkeypatch.setattr(units, "UNIT_BYTES", 100)
    for name, sentences in {"a.txt": 60, "b.txt": 2}.items():
        (tmp_path / name).write_text("".join(f"the O\nfilm{number} O\n\n" for number in range(sentences)))
    processor = NERProcessor(tokenizer, 8, None, label_list=["O", "B-PER"], metric="seq_f1", delimiter=" ")
    return rows_of(processor.frozen(), tmp_path)


def ids(table):
    return table["id"].to_pylist()


def test_small_files_are_read_together_and_no_table_spans_two_units(texts):
    placed = list(texts.tables())
    assert [(table.num_rows, tuple(place)) for table, place in placed] == [
        *[(10, (0, 0, 10, 0)), (10, (0, 0, 20, 0)), (5, (0, 0, 25, 0))],
        (8, (1, 0, 8, 3)),
        *[(10, (4, 0, rows, 5)) for rows in (10, 20, 30, 40)],
        (2, (4, 0, 42, 5)),
    ]
    assert [name for table, _ in placed for name in ids(table)][25:33] == [
        *["b.tsv:2", "b.tsv:3", "b.tsv:4", "c.tsv:2"],
        *["d.tsv:2", "d.tsv:3", "d.tsv:4", "d.tsv:5"],
    ]


@pytest.mark.parametrize("kind", ["texts", "words"])
def test_from_every_place_on_the_tables_are_the_same(kind, request):
    source = request.getfixturevalue(kind)
    placed = list(source.tables())
    for number, (_, place) in enumerate(placed, start=1):
        rest = list(source.tables(place))
        assert [found for _, found in rest] == [there for _, there in placed[number:]]
        assert all(table.equals(there) for (table, _), (there, _) in zip(rest, placed[number:], strict=True))


def test_a_big_file_is_read_by_ranges_with_the_ids_of_the_whole(words):
    placed = list(words.tables())
    assert len({(place.file, place.unit) for _, place in placed}) == 4
    whole = [name for file in words.files for table in words.processor.read_tables(file) for name in ids(table)]
    assert [name for table, _ in placed for name in ids(table)] == whole


def test_only_files_that_are_not_done_are_read(texts, monkeypatch):
    places = [place for _, place in texts.tables()]
    read = []
    monkeypatch.setattr(units, "read_part", lambda _, part: read.append(storage.file_name(part.file)) or iter(()))
    list(texts.tables(places[3]))
    assert read == ["b.tsv", "c.tsv", "d.tsv", "e.tsv.gz", "f.tsv"]


def test_lines_are_counted_no_further_than_needed(words, monkeypatch):
    counted = []
    monkeypatch.setattr(units, "count_lines", lambda *cut: counted.append(cut) or count_lines(*cut))
    next(words.tables())
    assert len(counted) == 1


@pytest.mark.cluster
@pytest.mark.usefixtures("ray_cluster")
def test_on_ray_the_same_tables_and_places(words):
    """Three of the four units, the first of them from the middle on."""
    after = list(words.tables())[2][1]
    expected = list(words.tables(after))
    found = list(tables_in_order(boxes_on_ray(TravellingProcessor(words.processor), words, after)))
    assert [place for _, place in found] == [place for _, place in expected]
    assert all(table.equals(there) for (table, _), (there, _) in zip(found, expected, strict=True))
