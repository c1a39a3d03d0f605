"""Labelled texts from source code, and one small gather on a real Ray."""

import pytest

from farm_ray.errors import DataProblemError
from pipelines import docstrings
from tests.raised import raised

SOURCE = '''"""Module of the library {name}, number {number}.

A second paragraph that nobody wants.
"""


class Thing:
    """A thing of {name} that is worth {number}
    more words in two lines."""

    if True:
        def method(self):
            """Method of {name}: returns\tthe number {number}."""
            def inner():
                """Inner function of {name}, {number}."""

    async def later(self):
        """Too short."""


def plain():
    x = "no docstring at all, however long it may be"
    return x


def shared():
    """This sentence stands in both of the libraries."""
'''


@pytest.fixture
def folders(tmp_path):
    for name in ("left", "right"):
        for number in range(12):
            path = tmp_path / name / "pkg" / f"m{number}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(SOURCE.format(name=name, number=number))
        (tmp_path / name / "tests").mkdir()
        (tmp_path / name / "tests" / "test_x.py").write_text('"""A test of the library, which is left out."""\n')
        (tmp_path / name / "broken.py").write_text('"""A docstring of a file that is no Python."""\ndef (:\n')
        (tmp_path / name / "nul.py").write_bytes(b'"""A docstring with a \0 byte in the file."""\n')
    return {name: tmp_path / name for name in ("left", "right")}


def test_the_first_paragraphs_of_a_file(folders):
    assert docstrings.first_paragraphs(folders["left"] / "pkg" / "m3.py") == [
        "Module of the library left, number 3.",
        "A thing of left that is worth 3 more words in two lines.",
        "Method of left: returns the number 3.",
        "Inner function of left, 3.",
        "This sentence stands in both of the libraries.",
    ]


def test_rows_are_balanced_unique_and_of_one_label_only(folders):
    rows = docstrings.collect(folders, rows_per_label=40, parse=docstrings.docstrings)
    assert {label: len(found) for label, found in rows.items()} == {"left": 40, "right": 40}
    texts = [row.text for found in rows.values() for row in found]
    assert len(set(texts)) == 80
    assert not any("both of the libraries" in text or "left out" in text for text in texts)
    assert all(row.label in row.text for found in rows.values() for row in found)


def test_rounds_do_not_change_the_rows(folders, monkeypatch):
    once = docstrings.collect(folders, rows_per_label=40, parse=docstrings.docstrings)
    monkeypatch.setattr(docstrings, "_FILES_PER_ROUND", 1)
    assert docstrings.collect(folders, rows_per_label=40, parse=docstrings.docstrings) == once


def test_too_few_rows_are_an_error(folders):
    with raised(DataProblemError, "too-few-docstrings", value="left 48, right 48"):
        docstrings.collect(folders, rows_per_label=1000, parse=docstrings.docstrings)


def test_no_file_is_on_both_sides_and_dev_has_its_share(folders):
    rows = docstrings.collect(folders, rows_per_label=40, parse=docstrings.docstrings)
    train, dev = docstrings.split(rows, dev_share=0.15)
    assert {row.file for row in train}.isdisjoint({row.file for row in dev})
    for label in folders:
        of_label = [row for row in dev if row.label == label]
        assert 6 <= len(of_label) <= 6 + 3  # whole files, four rows each
    assert len(train) + len(dev) == 80


def test_files_written_are_the_same_each_time(folders, tmp_path):
    docstrings.write_data(folders, tmp_path / "one", rows_per_label=40)
    docstrings.write_data(folders, tmp_path / "two", rows_per_label=40)
    for name in ("train.tsv", "dev.tsv"):
        text = (tmp_path / "one" / name).read_text()
        assert (tmp_path / "two" / name).read_text() == text
        lines = text.splitlines()
        assert lines[0] == "text\tlabel"
        assert all(line.count("\t") == 1 for line in lines)
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == ["dev.tsv", "train.tsv"]


@pytest.mark.cluster
def test_ray_gives_the_same_rows_in_the_same_order(folders, ray_cluster, monkeypatch):
    monkeypatch.setattr(docstrings, "_FILES_PER_TASK", 2)
    files = docstrings.pa.Table.from_pylist(docstrings.source_files(folders["left"], "left"))
    assert docstrings.parse_on_ray(files).equals(docstrings.docstrings(files))
