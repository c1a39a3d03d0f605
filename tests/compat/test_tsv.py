"""FARM's reader of TSV files."""

import pytest

from farm_ray.data_handler.utils import read_tsv
from farm_ray.errors import DataProblemError
from tests.raised import raised

RENAME = {"text": "text", "coarse_label": "text_classification_label"}


def test_dicts_as_farm_makes_them(tmp_path):
    path = tmp_path / "train.tsv"
    path.write_text("text\tcoarse_label\tfine_label\nwhat a nice day\tOTHER\tOTHER\nyou fool\t\tINSULT\n")
    assert read_tsv(path, RENAME) == [
        {"text": "what a nice day", "text_classification_label": "OTHER"},
        {"text": "you fool", "text_classification_label": ""},
    ]
    assert len(read_tsv(path, RENAME, max_samples=1)) == 1


def test_a_row_that_cannot_be_read_is_never_left_out(tmp_path):
    (tmp_path / "a.csv").write_text("text;coarse_label\nfine;A\n'open;B\n")
    with raised(DataProblemError, "unreadable-line", file="a.csv", row=3):
        read_tsv(tmp_path / "a.csv", RENAME, quotechar="'", delimiter=";")
    assert read_tsv(tmp_path / "a.csv", RENAME, delimiter=";")[1]["text"] == "'open"


def test_unknown_arguments_name_the_nearest(tmp_path):
    with pytest.raises(TypeError, match='no argument "quote_char"; did you mean "quotechar"'):
        read_tsv(tmp_path / "a.tsv", RENAME, quote_char="'")
