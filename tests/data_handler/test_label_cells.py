"""What a cell with several labels holds: names, or zeros and ones."""

import numpy as np
import pytest

from farm_ray.data_handler.label_cells import (
    Cell,
    ColumnForm,
    Wrong,
    as_cell,
    is_ambiguous,
    is_list,
    places_of,
    read_cell,
    way_out,
)

KNOWN = ["toxic", "insult", "very bad"]


def places(cell, labels=KNOWN, decided=None):
    return places_of(cell, {label: place for place, label in enumerate(labels)}, decided=decided)


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ('["toxic", "insult"]', ("toxic", "insult")),
        ("['toxic', 'insult']", ("toxic", "insult")),
        ("('toxic',)", ("toxic",)),
        ('["a,b", "c"]', ("a,b", "c")),
        ('["it\'s"]', ("it's",)),
        ("[]", ()),
        ('[""]', ()),
        ("", ()),
        ("[3, 12]", ("3", "12")),
        ("toxic,insult", ("toxic", "insult")),
        ("toxic,,insult,", ("toxic", "insult")),
        ("toxic", ("toxic",)),
        ("[toxic", ("[toxic",)),
        ("(other)", ("(other)",)),
        ('["a", {"b": 1}]', None),
        ("[0.3, 0.7]", None),
        ('{"toxic": 1}', None),
        ("[" * 5000 + "]" * 5000, ("[" * 5000 + "]" * 5000,)),
    ],
)
def test_names(cell, names):
    assert read_cell(cell) == Cell(names, None)


@pytest.mark.parametrize(
    "cell",
    [
        "[1, 0, 1]", "[1,0,1]", " [1, 0, 1] ", "[1 0 1]", "[1. 0. 1.]", "[1.0, 0.0, 1.0]", "[true, false, true]",
        "[True, False, True]", "1,0,1", "1 0 1", "1;0;1", "1|0|1", "(1, 0, 1)", "[1, 0, 1,]", '["1", "0", "1"]',
        "['1', '0', '1']",
    ],
)  # fmt: skip
def test_zeros_and_ones(cell):
    assert read_cell(cell).bits == (1, 0, 1)
    assert is_list(cell)
    assert places(cell) == [0, 2]


@pytest.mark.parametrize(
    ("labels", "decided", "cell", "expected"),
    [
        (KNOWN, None, "toxic,very bad", [0, 2]),
        (KNOWN, None, "[0, 0, 0]", []),
        (["0", "1", "2"], None, "[1, 0, 1]", [0, 2]),
        (["0", "1", "2"], None, "[0, 1]", [0, 1]),
        (["0", "1", "2"], None, "1", [1]),
        (["0", "1"], None, "[0, 1]", [0, 1]),
        (["0", "1"], None, "[0, 0]", []),
        (["0", "1"], True, "[0, 1]", [1]),
        (["0", "1"], False, "[1, 0]", [1, 0]),
        (["1", "2"], None, "[0, 1]", [1]),
        (["good", "bad"], None, "[0, 1]", [1]),
        (["toxic"], None, "1", [0]),
        (["toxic"], None, "[0]", []),
        (["True", "False"], None, "True", [0]),
    ],
)
def test_which_labels_a_cell_names(labels, decided, cell, expected):
    assert places(cell, labels, decided) == expected


@pytest.mark.parametrize(
    ("labels", "decided", "cell", "told"),
    [
        (KNOWN, None, "[1, 0]", '"[1, 0]" holds 2 zeros and ones, and there are 3 labels; give one for each label'),
        (["0", "1", "2"], None, "[1, 1]", '"[1, 1]" holds 2 zeros and ones, and there are 3 labels'),
        (["0", "1"], True, "[1]", "holds 1 zeros and ones, and there are 2 labels"),
        (["a", "b"], False, "1 0", '"1 0" is no list of labels; the training data hold names, so write the names'),
        (["0", "1"], True, "", "is no vector of 2 zeros and ones, as the training data hold them"),
        (["0", "1"], False, "[1, 1]", '"[1, 1]" names a label twice, and other rows hold names'),
        (KNOWN, None, "[0.3, 0.7, 0.1]", '"[0.3, 0.7, 0.1]" is no list of labels; write their names'),
        (KNOWN, None, '{"toxic": 1}', "is no list of labels"),
    ],
)
def test_why_a_cell_cannot_be_read(labels, decided, cell, told):
    found = places(cell, labels, decided)
    assert isinstance(found, Wrong)
    assert told in found.told


@pytest.mark.parametrize("cell", ["toxic,hate", "0,1", "1", "[7]"])
def test_unknown_names(cell):
    found = places(cell, KNOWN, False if cell == "0,1" else None)
    assert (found.kind, found.told) == ("unknown label", "")


@pytest.mark.parametrize(
    ("cells", "vectors", "length"),
    [
        (["[1, 0, 1]", "[0, 0, 1]"], True, 3),
        (["[1, 0]", "[0, 1]"], True, 2),
        (["[1, 0]", "[0, 1]", "1"], False, 2),
        (["[1, 0]", "[0, 1]", "[0, 0]", "1"], True, 2),
        (["[1, 0, 1]", "[0, 0, 1]", "[1, 1]"], True, 3),
        (["[1, 0]", "[0, 1]", ""], True, 2),
        (["0", "1", "0", "0,1"], False, 2),
        (["[1]", "[0]"], False, None),
        (["toxic", "insult", "1,1"], False, 2),
        (["toxic"], False, None),
        ([], False, None),
    ],
)
def test_a_column_decides(cells, vectors, length):
    form = ColumnForm()
    for cell in cells:
        form.add(read_cell(cell), 1)
    assert form.are_vectors() is vectors
    assert length is None or form.length() == length


def test_only_two_labels_called_like_zeros_and_ones_are_ambiguous():
    assert [is_ambiguous(labels) for labels in (["0", "1"], ["True", "False"], ["0", "1", "2"], ["1", "2"], ["a"])] == [
        True, True, False, False, False
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("toxic", "toxic"),
        (["a", "b"], '["a", "b"]'),
        (("ä",), '["ä"]'),
        ({"b", "a"}, '["a", "b"]'),
        (np.array([1, 0]), "[1, 0]"),
        (np.array([True, False]), "[true, false]"),
        (np.int64(3), "3"),
        (True, "True"),
        (1.0, "1.0"),
    ],
)
def test_labels_of_dicts_as_in_files(value, cell):
    assert as_cell(value) == cell


@pytest.mark.parametrize("cell", ["toxic", "toxic,insult", "0", "(other)", "[1", "1.0"])
def test_single_labels_are_no_lists(cell):
    assert not is_list(cell)


@pytest.mark.parametrize(
    ("cell", "hint"),
    [
        ("toxic, insult", 'labels are joined by commas without spaces: write "toxic,insult"'),
        (" very bad ", 'labels are joined by commas without spaces: write "very bad"'),
        ("toxic|insult;very bad", 'labels are joined by commas without spaces: write "toxic,insult,very bad"'),
        ("  ", "leave the cell empty where a row has no label"),
        ("toxic, hate", None),
        ("hate", None),
    ],
)
def test_known_labels_in_another_form(cell, hint):
    assert way_out(cell, KNOWN) == hint
