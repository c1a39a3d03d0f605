import pyarrow as pa
import pytest

from farm_ray.data_handler.dicts_to_samples.label_lists import comma_joined, way_out

KNOWN = ["toxic", "insult", "very bad"]


def test_json_lists_become_commas():
    cells = pa.array(['["toxic", "insult"]', "toxic", None, "[]", "[toxic", '["a", {"b": 1}]', "[1, 2]"])
    assert comma_joined(cells).to_pylist() == [
        "toxic,insult", "toxic", None, "", "[toxic", '["a", {"b": 1}]', "1,2"
    ]  # fmt: skip


def test_other_cells_are_not_touched():
    cells = pa.array(["toxic,insult", None, ""])
    assert comma_joined(cells) is cells
    assert comma_joined(pa.array([], pa.string())).to_pylist() == []


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
