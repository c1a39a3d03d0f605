"""Metrics of tags: entities by hand, all schemes, and tags that are none."""

import math

import pytest
from seqeval import metrics as seqeval_metrics

from farm_ray.errors import ConfigError
from farm_ray.evaluation.metrics import compute_metrics
from farm_ray.evaluation.tokens import entity_counts, seq_f1, seq_precision, seq_recall, token_report
from tests.raised import raised

pytestmark = pytest.mark.filterwarnings("error")

LABELS = [["B-PER", "I-PER", "O", "B-LOC"], ["O", "B-ORG"], ["B-PER"], []]
PREDS = [["B-PER", "I-PER", "O", "O"], ["B-ORG", "B-ORG"], ["B-LOC"], []]


def test_entities_are_right_as_a_whole():
    """Of four predicted ones two are right, of four true ones two are found."""
    assert compute_metrics(["seq_f1", "seq_precision", "seq_recall"], PREDS, LABELS) == {
        "seq_f1": 0.5,
        "seq_precision": 0.5,
        "seq_recall": 0.5,
    }
    half = [["B-PER", "O", "O", "B-LOC"], ["O", "O"], ["O"], []]
    assert seq_precision(half, LABELS)["seq_precision"] == 0.5
    assert seq_recall(half, LABELS)["seq_recall"] == 0.25


def test_it_is_seqevals_f1():
    assert seq_f1(PREDS, LABELS)["seq_f1"] == seqeval_metrics.f1_score(LABELS, PREDS)


def test_entities_end_with_their_row():
    assert seq_f1([["B-PER"], ["I-PER"]], [["B-PER"], ["I-PER"]]) == {"seq_f1": 1.0}
    assert entity_counts([["B-PER"], ["I-PER"]], [["B-PER"], ["I-PER"]], metric="").sum(axis=0).tolist() == [2, 2, 2]


def test_counts_of_each_row():
    assert entity_counts(PREDS, LABELS, metric="").tolist() == [[1, 1, 2], [1, 2, 1], [0, 1, 1], [0, 0, 0]]
    assert entity_counts([], [], metric="").shape == (0, 3)


@pytest.mark.parametrize(
    "same",
    [
        ["I-PER", "I-PER", "O", "I-LOC", "O"],
        ["B-PER", "I-PER", "O", "B-LOC", "O"],
        ["B-PER", "E-PER", "O", "S-LOC", "O"],
        ["B-PER", "L-PER", "O", "U-LOC", "O"],
        ["B-PER", "I-PER", "X", "B-LOC", "[PAD]"],
    ],
)
def test_schemes_say_the_same(same):
    assert seq_f1([same], [["B-PER", "I-PER", "O", "B-LOC", "O"]]) == {"seq_f1": 1.0}


@pytest.mark.parametrize("tags", ["B_PER I_PER O", "b-PER i-PER O", "B I O", "B-PER M-PER O"])
def test_half_an_entity_is_none_in_any_spelling(tags):
    begin, inside, outside = tags.split()
    assert seq_f1([[begin, outside, outside]], [[begin, inside, outside]]) == {"seq_f1": 0.0}


def test_entities_without_a_type_are_called_so():
    assert "entity" in token_report([["B", "I", "O"]], [["B", "I", "O"]])


def test_numbers_are_no_tags():
    with raised(ConfigError, "wrong-tags", metric="seq_f1", value=["1", "2", "0"]):
        seq_f1([["1", "2", "0"]], [["1", "2", "0"]])
    with raised(ConfigError, "wrong-tags", metric="seq_precision"):
        entity_counts([["1"]], [["0"]], metric="seq_precision")
    assert seq_f1([["1", "O"]], [["1", "O"]]) == {"seq_f1": 1.0}


def test_tags_without_a_prefix_count_by_words():
    """ORG is no O, and two words are two entities."""
    labels = [["ORG", "ORG", "O", "PER"]]
    assert entity_counts([["ORG", "O", "O", "PER"]], labels, metric="").tolist() == [[2, 2, 3]]
    assert seq_f1([["ORG", "O", "O", "PER"]], labels)["seq_f1"] == pytest.approx(4 / 5)
    assert "ORG" in token_report(labels, labels)


def test_no_rows_and_no_entities():
    assert math.isnan(seq_f1([], [])["seq_f1"])
    assert seq_f1([["O"]], [["X"]]) == {"seq_f1": 0.0}
    assert token_report([], []) == "no rows to report on"
    assert token_report([["O"], ["X"]], [["O"], ["O"]]) == "no entities, neither true nor predicted (rows: 2)"


@pytest.mark.parametrize("column", [["O", "B-PER"], [[0, 1], [2]], [None, ["O"]]])
def test_what_is_no_list_of_tags(column):
    with raised(ConfigError, "wrong-labels-for-metric", value="seq_f1"):
        seq_f1([["O"], ["B-PER"]], column)


def test_rows_of_unequal_length_are_named():
    with pytest.raises(AssertionError, match="row 1 has 1 predictions but 2 labels"):
        seq_f1([["O"], ["O"]], [["O"], ["O", "O"]])
    with pytest.raises(AssertionError, match="row 0 has 3 predictions but 2 labels"):
        token_report([["O"] * 3], [["O"] * 2])


def test_report_by_type():
    lines = {line.split()[0]: line.split()[1:] for line in token_report(PREDS, LABELS).splitlines() if line.strip()}
    assert lines["ORG"] == ["0.5000", "1.0000", "0.6667", "1"]
    assert lines["PER"] == ["1.0000", "0.5000", "0.6667", "2"]
    assert lines["micro"] == ["avg", "0.5000", "0.5000", "0.5000", "4"]
