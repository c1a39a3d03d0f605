"""Groups of splits and their tables: cut by the files alone, the same from wherever a run resumes."""

import gzip

import pytest

from farm_ray import storage
from farm_ray.data_handler.data_silo import split_groups
from farm_ray.data_handler.data_silo.broadcast import BroadcastProcessor
from farm_ray.data_handler.data_silo.executor import run_here, run_on_ray
from farm_ray.data_handler.data_silo.input_files import planned_splits
from farm_ray.data_handler.data_silo.split_groups import SplitRows
from farm_ray.data_handler.file_to_dicts.splits import Split
from farm_ray.data_handler.processor import NERProcessor, TextClassificationProcessor
from farm_ray.parts import START, Cursor


def rows_of(processor, folder, rows=10):
    files = storage.list_files(folder)
    states = storage.file_states(files)
    return SplitRows(
        processor=processor,
        splits=tuple(planned_splits(processor, files, 400)),
        sizes=tuple(state.size for state in states),
        rows_per_table=rows,
    )


@pytest.fixture
def texts(tokenizer, tmp_path, monkeypatch):
    """Files of 25, 3, 1, 4, 40 and 2 rows, the second last one compressed; below 100 bytes they are read together."""
    monkeypatch.setattr(split_groups, "GROUP_BYTES", 100)
    for name, rows in {"a.tsv": 25, "b.tsv": 3, "c.tsv": 1, "d.tsv": 4, "e.tsv.gz": 40, "f.tsv": 2}.items():
        content = ("text\n" + "".join(f"the film {number % 10}\n" for number in range(rows))).encode()
        (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    processor = TextClassificationProcessor(tokenizer, 16, None).for_inference().frozen()
    return rows_of(processor, tmp_path)


@pytest.fixture
def words(tokenizer, tmp_path, monkeypatch):
    """A file that is cut, and a small one."""
    monkeypatch.setattr(split_groups, "GROUP_BYTES", 100)
    for name, sentences in {"a.txt": 60, "b.txt": 2}.items():
        (tmp_path / name).write_text("".join(f"the O\nfilm{number} O\n\n" for number in range(sentences)))
    processor = NERProcessor(tokenizer, 8, None, label_list=["O", "B-PER"], metric="seq_f1", delimiter=" ")
    return rows_of(processor.frozen(), tmp_path)


def ids(table):
    return table["id"].to_pylist()


def tables(source, after=START):
    return [(Cursor(*mark), table) for mark, table in run_here(source.tasks(after))]


def test_small_files_are_read_together_and_no_table_spans_two_groups(texts):
    found = tables(texts)
    assert [(table.num_rows, tuple(cursor)) for cursor, table in found] == [
        *[(10, (0, 10, 0)), (10, (0, 20, 0)), (5, (0, 25, 0))],
        (8, (1, 8, 3)),
        *[(10, (4, rows, 5)) for rows in (10, 20, 30, 40)],
        (2, (4, 42, 5)),
    ]
    assert [name for _, table in found for name in ids(table)][25:33] == [
        *["b.tsv:2", "b.tsv:3", "b.tsv:4", "c.tsv:2"],
        *["d.tsv:2", "d.tsv:3", "d.tsv:4", "d.tsv:5"],
    ]


@pytest.mark.parametrize("kind", ["texts", "words"])
def test_from_every_cursor_on_the_tables_are_the_same(kind, request):
    source = request.getfixturevalue(kind)
    whole = tables(source)
    for number, (cursor, _) in enumerate(whole, start=1):
        rest = tables(source, cursor)
        assert [found for found, _ in rest] == [there for there, _ in whole[number:]]
        assert all(table.equals(there) for (_, table), (_, there) in zip(rest, whole[number:], strict=True))


def test_a_big_file_is_read_by_splits_with_the_ids_of_the_whole(words):
    found = tables(words)
    assert len({cursor.split for cursor, _ in found}) == 3
    whole = [name for file in words.files for table in words.processor.read(Split(file)) for name in ids(table)]
    assert [name for _, table in found for name in ids(table)] == whole


def test_only_files_that_are_not_done_are_read(texts, monkeypatch):
    cursors = [cursor for cursor, _ in tables(texts)]
    read = []
    monkeypatch.setattr(split_groups, "split_tables", lambda _, split: read.append(split.name) or iter(()))
    tables(texts, cursors[3])
    assert read == ["b.tsv", "c.tsv", "d.tsv", "e.tsv.gz", "f.tsv"]


@pytest.mark.cluster
@pytest.mark.usefixtures("ray_cluster")
@pytest.mark.parametrize("kind", ["texts", "words"])
@pytest.mark.parametrize("fused_from", [0, 100])
def test_on_ray_the_same_tables_and_cursors(kind, fused_from, request, monkeypatch):
    """From the middle of a group on, whether or not reading and transforming are one."""
    monkeypatch.setattr("farm_ray.data_handler.data_silo.executor._FUSED_FROM", fused_from)
    source = request.getfixturevalue(kind)
    after = tables(source)[1][0]
    expected = [(cursor, source.processor.featurize(table)) for cursor, table in tables(source, after)]
    broadcast = BroadcastProcessor(source.processor)
    found = list(run_on_ray(source.tasks(after, broadcast.processor), broadcast.featurize, max_tasks=4))
    assert [Cursor(*mark) for mark, _ in found] == [cursor for cursor, _ in expected]
    assert all(table.equals(there) for (_, table), (_, there) in zip(found, expected, strict=True))
