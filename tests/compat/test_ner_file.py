import pytest

from farm_ray.data_handler.utils import read_ner_file
from farm_ray.errors import DataProblemError
from tests.raised import raised


def test_sentences_as_dicts(tmp_path):
    (tmp_path / "train.txt").write_text("EU NNP B-ORG\nrejects VBZ O\n\nParis NNP B-LOC")
    expected = [{"text": "EU rejects", "ner_label": ["B-ORG", "O"]}, {"text": "Paris", "ner_label": ["B-LOC"]}]
    assert read_ner_file(tmp_path / "train.txt", sep=" ") == expected
    assert read_ner_file(str(tmp_path), " ") == expected


def test_what_the_path_tells(tmp_path):
    folder = tmp_path / "germeval14"
    folder.mkdir()
    (folder / "train.tsv").write_text("#\tx.de [2009]\n1\tBonner\tB-LOCderiv\tO\n")
    assert read_ner_file(folder / "train.tsv") == [{"text": "Bonner", "ner_label": ["B-LOC"]}]


def test_the_first_line_that_is_no_row_is_told(tmp_path):
    (tmp_path / "train.txt").write_text("EU\tB-ORG\n\nParis\n")
    with raised(DataProblemError, "unreadable-line", kind="wrong number of columns", file="train.txt", row=3):
        read_ner_file(tmp_path / "train.txt")
    with pytest.raises(TypeError, match='no argument "delimiter"'):
        read_ner_file(tmp_path / "train.txt", delimiter=" ")
