"""Metrics of tags, one per word: columns are lists of tags per row. Entities are counted as conlleval does.

`B-PER I-PER` is one entity of the type PER, in IOB1, IOB2, IOBES, BILOU and BMES alike, and `B I` one of the type
`entity`. A tag without such a prefix is an entity of one word; `O` is none, nor are FARM's `X` and `[PAD]`, which a
model can predict by mistake.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from farm_ray.errors import ConfigError
from farm_ray.evaluation.classification import classification_report
from farm_ray.evaluation.columns import Column, check_lengths, flat, is_list
from farm_ray.tag_schemes import NO_TAGS, OUTSIDE, are_numbers, check_entity_tags, hyphenated

if TYPE_CHECKING:
    from collections.abc import Sequence

_PREFIX = re.compile(r"[BIESLU](?=-|$)")
_OF_BILOU = {"L": "E", "U": "S"}


def seq_f1(preds: Column, labels: Column) -> dict[str, float]:
    """`seq_f1`: F1 over all entities, 0 to 1; right is an entity with the right words and type.

    Raises:
        AssertionError: When a row has another number of predictions than of labels.
        ConfigError: When rows are no lists of tags, or the tags are numbers, none of which says "no entity".
    """
    from seqeval.metrics import f1_score

    return {"seq_f1": _score(f1_score, preds, labels, metric="seq_f1")}


def seq_precision(preds: Column, labels: Column) -> dict[str, float]:
    """`seq_precision`: the share of predicted entities that are right, 0 to 1; errors as for `seq_f1`."""
    from seqeval.metrics import precision_score

    return {"seq_precision": _score(precision_score, preds, labels, metric="seq_precision")}


def seq_recall(preds: Column, labels: Column) -> dict[str, float]:
    """`seq_recall`: the share of true entities that are found, 0 to 1; errors as for `seq_f1`."""
    from seqeval.metrics import recall_score

    return {"seq_recall": _score(recall_score, preds, labels, metric="seq_recall")}


def token_report(preds: Column, labels: Column) -> str:
    """Precision, recall, F1 and number of entities per type, as seqeval prints them with 4 digits."""
    from seqeval.metrics import classification_report
    from seqeval.metrics.sequence_labeling import get_entities

    found, true = _tags(preds, labels, metric="the report of tags")
    if not true:
        return "no rows to report on"
    if not get_entities(found) and not get_entities(true):
        return f"no entities, neither true nor predicted (rows: {len(true)})"
    return str(classification_report(true, found, digits=4, zero_division=0))


def tag_report(preds: Column, labels: Column, label_list: Sequence[str] | None) -> str:
    """`token_report`; of tags without `O`, such as parts of speech, the report of a classification of words.

    Args:
        preds: Predicted tags, a list per row.
        labels: True tags.
        label_list: All tags that there are, where they are known.
    """
    if not label_list or OUTSIDE in label_list or not len(labels):
        return token_report(preds, labels)
    check_lengths(preds, labels)
    return classification_report(flat(preds), flat(labels), [tag for tag in label_list if tag not in NO_TAGS])


def entity_counts(preds: Column, labels: Column, *, metric: str) -> npt.NDArray[np.float64]:
    """Entities of each row that are right, predicted and true, [rows, 3]."""
    from seqeval.metrics.sequence_labeling import get_entities

    counts = []
    for found, true in zip(*_tags(preds, labels, metric=metric), strict=True):
        predicted, actual = set(get_entities(found)), set(get_entities(true))
        counts.append((len(predicted & actual), len(predicted), len(actual)))
    return np.array(counts, np.float64).reshape(-1, 3)


def _score(score: Any, preds: Column, labels: Column, *, metric: str) -> float:
    found, true = _tags(preds, labels, metric=metric)
    return float(score(true, found, average="micro", zero_division=0)) if true else float("nan")


def _tags(preds: Column, labels: Column, *, metric: str) -> tuple[list[list[str]], list[list[str]]]:
    """Both columns in tags that seqeval reads."""
    for what, column in (("predictions", preds), ("labels", labels)):
        wrong = [row for row in column if not is_list(row) or not all(isinstance(tag, str) for tag in row)]
        if wrong:
            raise ConfigError(
                f'{metric}: the {what} hold {wrong[0]!r:.80}, not a list of tags such as ["B-PER", "O"]; '
                "use it for tags of words (token_classification)",
                code="wrong-labels-for-metric",
                value=metric,
            )
    check_lengths(preds, labels)
    given = dict.fromkeys(tag for column in (preds, labels) for row in column for tag in row)
    if given and are_numbers(given):
        check_entity_tags(given, metric=metric)
    tags = {tag: _readable(spelled) for tag, spelled in hyphenated(given).items()}
    found, true = ([[tags[tag] for tag in row] for row in column] for column in (preds, labels))
    return found, true


def _readable(tag: str) -> str:
    if tag == OUTSIDE or tag in NO_TAGS:
        return OUTSIDE
    prefix = _PREFIX.match(tag)
    if prefix is None:
        return f"B-{tag}"
    return _OF_BILOU.get(prefix[0], prefix[0]) + tag[1:]
