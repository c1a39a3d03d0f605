import numpy as np
import pytest

from farm_ray.errors import DataProblemError
from farm_ray.utils import reformat_msmarco_dev, reformat_msmarco_train, write_msmarco_results


def test_triples_become_pairs(tmp_path):
    (tmp_path / "triples.tsv").write_text('who\tright "one"\twrong\nwhat\tthis\tthat\n')
    reformat_msmarco_train(tmp_path / "triples.tsv", tmp_path / "train.tsv")
    assert (tmp_path / "train.tsv").read_text().splitlines() == [
        "text\ttext_b\tlabel",
        'who\t"right ""one"""\t1',
        "who\twrong\t0",
        "what\tthis\t1",
        "what\tthat\t0",
    ]


def test_candidates_become_pairs_with_their_ids(tmp_path):
    files = {"q": "7\twho\n8\twhat\n", "p": "1\tone\n2\ttwo\n", "qrels": "7\t0\t2\t1\n", "top": "7\t1\tx\n7\t2\n8\t2\n"}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    reformat_msmarco_dev(*(tmp_path / name for name in files), tmp_path / "dev.tsv")
    assert (tmp_path / "dev.tsv").read_text().splitlines() == [
        "qid\ttext\tpid\ttext_b\tlabel",
        "7\twho\t1\tone\t0",
        "7\twho\t2\ttwo\t1",
        "8\twhat\t2\ttwo\t0",
    ]
    (tmp_path / "top").write_text("7\t1\n9\t2\n")
    with pytest.raises(DataProblemError, match=r'top:2: the id "9" is not in .*q; give the files of one version'):
        reformat_msmarco_dev(*(tmp_path / name for name in files), tmp_path / "dev.tsv")


def test_a_line_with_too_few_columns(tmp_path):
    (tmp_path / "triples.tsv").write_text("a\tb\tc\na\tb\n")
    with pytest.raises(DataProblemError, match=r"triples\.tsv:2 has 2 columns, and 3 are needed"):
        reformat_msmarco_train(tmp_path / "triples.tsv", tmp_path / "train.tsv")


def test_scores_are_the_probability_of_being_relevant(tmp_path):
    predictions = [{"label": "1", "probability": np.float32(0.75)}, {"label": "0", "probability": 0.75}]
    write_msmarco_results([{"predictions": predictions}], tmp_path / "scores.txt")
    assert (tmp_path / "scores.txt").read_text() == "0.75\n0.25\n"
