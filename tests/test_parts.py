"""Finished parts: atomic, kept only where they fit, never mixed by two runs."""

import json
import logging

import pyarrow as pa
import pytest

from farm_ray import parts as module
from farm_ray import storage
from farm_ray.errors import ConfigError, DataProblemError
from farm_ray.parts import START, Cursor, Parts, Recipe, folder_of
from tests.raised import raised

FILES = [("a.tsv", "1"), ("b.tsv", "1"), ("c.tsv", "1")]


@pytest.fixture(autouse=True)
def _every_table_is_a_part(monkeypatch):
    monkeypatch.setattr(module, "_SECONDS_PER_PART", 0.0)
    monkeypatch.setattr(module, "_WORK_PER_WRITING", 0.0)


def table(*values):
    return pa.table({"value": pa.array(values, pa.int64())})


def recipe(files=FILES, **settings):
    return lambda: Recipe(settings={"model": "x", **settings}, files=files)


def three_parts(output, made=None):
    """Two parts of the first file and one of the second."""
    with Parts(str(output), made or recipe()) as parts:
        parts.keep(table(1, 2), Cursor(0, 2, 0))
        parts.keep(table(3), Cursor(0, 3, 0))
        parts.keep(table(4, 5), Cursor(1, 2, 1))
    return parts


def values(parts):
    return [value for kept in parts.tables() for value in kept["value"].to_pylist()]


def files_in(output):
    return sorted(path.name for path in (output.parent / f"{output.name}.parts").iterdir())


@pytest.fixture
def output(tmp_path):
    return tmp_path / "out.jsonl"


def test_what_is_kept_is_there_for_the_next_run(output):
    three_parts(output)
    later = Parts(str(output), recipe())
    assert (values(later), later.cursor) == ([1, 2, 3, 4, 5], Cursor(1, 2, 1))
    with later:
        later.keep(table(6), Cursor(2, 1, 2))
    assert values(Parts(str(output), recipe())) == [1, 2, 3, 4, 5, 6]


def test_nothing_is_there_at_first_and_in_the_end(output):
    assert Parts(str(output), lambda: pytest.fail("nothing asks for the recipe")).cursor == START
    three_parts(output).remove()
    assert list(output.parent.iterdir()) == []


def test_never_begins_anew_without_a_word(output, caplog):
    three_parts(output)
    parts = Parts(str(output), recipe(), resume="never")
    assert (values(parts), parts.cursor) == ([], START)
    assert files_in(output) == ["recipe.json"]
    assert not caplog.records
    with raised(ConfigError, "invalid-value", option="resume", value="maybe"):
        Parts(str(output), recipe(), resume="maybe")


def test_other_settings_are_told_and_their_rows_made_anew(output, caplog):
    three_parts(output)
    parts = Parts(str(output), recipe(model="y", use_amp="bf16"))
    assert values(parts) == []
    assert files_in(output) == ["recipe.json"]
    [record] = caplog.records
    assert record.levelno == logging.WARNING
    assert "3 of 3 finished parts" in record.getMessage()
    assert 'model (was "x", is "y"), use_amp (was null, is "bf16")' in record.getMessage()


@pytest.mark.parametrize(
    ("files", "kept", "told"),
    [
        ([*FILES[:1], ("b.tsv", "2"), FILES[2]], [1, 2, 3], "b.tsv (changed)"),
        ([*FILES[:2], ("c.tsv", "2")], [1, 2, 3, 4, 5], None),
        ([*FILES, ("d.tsv", "1")], [1, 2, 3, 4, 5], None),
        ([("a.tsv", "2"), *FILES[1:]], [], "a.tsv (changed)"),
        ([("0.tsv", "1"), *FILES], [], "0.tsv (new)"),
        (FILES[1:], [], "a.tsv (gone)"),
    ],
)
def test_rows_of_files_before_the_first_changed_one_stay(output, caplog, files, kept, told):
    three_parts(output)
    assert values(Parts(str(output), recipe(files))) == kept
    assert [told in record.getMessage() for record in caplog.records] == ([True] if told else [])


def test_where_rows_depend_on_all_files_none_stay(output):
    def whole_set(files):
        return lambda: Recipe(settings={}, files=files, each_file_alone=False)

    three_parts(output, whole_set(FILES))
    assert values(Parts(str(output), whole_set(FILES))) == [1, 2, 3, 4, 5]
    assert values(Parts(str(output), whole_set([*FILES, ("d.tsv", "1")]))) == []


def test_a_part_that_is_missing_ends_what_is_kept(output):
    three_parts(output)
    folder = output.parent / "out.jsonl.parts"
    next(folder.glob("part-0.2-*")).unlink()
    (folder / ".out.jsonl.1234abcd").write_text("left by a kill")
    parts = Parts(str(output), recipe())
    assert (values(parts), parts.cursor) == ([1, 2], Cursor(0, 2, 0))
    assert [name.partition("-")[0] for name in files_in(output)] == ["part", "recipe.json"]


def test_a_damaged_part_is_told_with_the_way_out(output):
    three_parts(output)
    place = next((output.parent / "out.jsonl.parts").glob("part-0.2-*"))
    place.write_bytes(place.read_bytes()[:50])
    with pytest.raises(
        DataProblemError, match=rf"{place.name} is damaged .*; remove it and run the same command again"
    ):
        values(Parts(str(output), recipe()))


def test_the_run_that_began_later_takes_over(output):
    first = Parts(str(output), recipe())
    first.keep(table(1, 2), Cursor(0, 2, 0))
    second = Parts(str(output), recipe(model="y"))
    with raised(ConfigError, "folder-taken-over", file="out.jsonl"), first:
        first.keep(table(3), Cursor(0, 3, 0))
    with raised(ConfigError, "folder-taken-over"):
        first.check()
    with second:
        second.keep(table(7), Cursor(0, 1, 0))
        second.check()
    assert values(Parts(str(output), recipe(model="y"))) == [7]


def keep_and_stop(output, *tables):
    with Parts(str(output), recipe()) as parts:
        for rows, one in enumerate(tables, start=1):
            parts.keep(one, Cursor(0, rows, 0))
        raise KeyboardInterrupt


def test_an_error_or_a_signal_keeps_what_is_finished(output, monkeypatch):
    monkeypatch.setattr(module, "_WORK_PER_WRITING", 1e9)
    with pytest.raises(KeyboardInterrupt):
        keep_and_stop(output, table(1), table(2), table(3))
    assert len(files_in(output)) == 3
    assert values(Parts(str(output), recipe())) == [1, 2, 3]


def test_a_table_that_is_cut_short_is_not_kept(output, monkeypatch):
    monkeypatch.setattr(module, "_WORK_PER_WRITING", 1e9)
    with pytest.raises(ValueError, match="does not match"):
        keep_and_stop(output, table(1), table(2), pa.table({"other": [1]}))
    assert values(Parts(str(output), recipe())) == [1]


def test_parts_are_worth_their_writing(output, monkeypatch):
    """Time goes by only where the test says so: 3 seconds for each table, one for each writing."""
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(module, "_SECONDS_PER_PART", 5.0)
    monkeypatch.setattr(module, "_WORK_PER_WRITING", 10.0)
    monkeypatch.setattr(storage, "open_output", slow_output(storage.open_output, now))
    written = []
    with Parts(str(output), recipe()) as parts:
        for number in range(12):
            now[0] += 3
            parts.keep(table(number), Cursor(0, number + 1, 0))
            written.append(len(list(output.parent.glob("out.jsonl.parts/part-*"))))
    # The first part takes two seconds, as the recipe is written too: 20 seconds until the next one, then 10.
    assert written == [0, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2]


def slow_output(open_output, now):
    def opened(uri, **how):
        now[0] += 1
        return open_output(uri, **how)

    return opened


def test_a_recipe_that_cannot_be_read_is_none(output):
    three_parts(output)
    (output.parent / "out.jsonl.parts" / "recipe.json").write_text("{")
    assert values(Parts(str(output), recipe())) == [1, 2, 3, 4, 5]
    told = json.loads((output.parent / "out.jsonl.parts" / "recipe.json").read_text())
    assert told["files"] == [["a.tsv", "1"], ["b.tsv", "1"], ["c.tsv", "1"]]


@pytest.mark.parametrize(
    ("output", "folder"),
    [
        ("out.jsonl", "out.jsonl.parts"),
        ("s3://data/out.jsonl", "s3://data/out.jsonl.parts"),
        ("s3://data/out.jsonl?region=eu-west-1", "s3://data/out.jsonl.parts?region=eu-west-1"),
        ("a?b.jsonl", "a?b.jsonl.parts"),
    ],
)
def test_the_folder_stands_beside_the_output(output, folder):
    assert folder_of(output) == folder


@pytest.mark.usefixtures("bucket")
def test_on_s3_as_on_disk():
    output = "s3://data/out/rows.jsonl"
    three_parts(output)
    assert len(storage.file_names("s3://data/out/rows.jsonl.parts")) == 4
    parts = Parts(output, recipe([*FILES[:1], ("b.tsv", "2")]))
    assert values(parts) == [1, 2, 3]
    assert len(storage.file_names(parts.folder)) == 3
    parts.remove()
    assert not storage.exists(parts.folder)
