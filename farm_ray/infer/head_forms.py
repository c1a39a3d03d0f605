"""How the answers of each kind of head are shown: in FARM's JSON, and as flat columns.

n texts, C labels of a head, W words of a text. An answer is what `logits_per_row` of the head gives: [C], or [W, C].
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from farm_ray.configuration import nearest
from farm_ray.errors import ConfigError
from farm_ray.overrides import is_own, refuse_uncalled, report_once

if TYPE_CHECKING:
    from farm_ray.modeling.prediction_head import PredictionHead

Answers = Sequence[npt.NDArray[np.float32]]


@dataclass(frozen=True, kw_only=True)
class HeadForm:
    """The forms of one kind of head."""

    task_types: tuple[str, ...]
    """What `Inferencer` calls the task, the first one by default; as in conversion, `text_classification` stands for
    all that transformers' sequence classifiers do."""
    keys: tuple[str, ...]
    """Keys of a prediction in FARM's JSON."""
    columns: Callable[[PredictionHead, Answers, Sequence[str], bool], dict[str, pa.Array]]
    """Called with (head, answers, texts, return_class_probs); gives flat columns, [n]."""
    more: Callable[[PredictionHead, Answers], list[dict[str, Any]]] | None = None
    """What a prediction says beyond FARM, [n]."""
    in_lists: bool = False
    """A prediction is a list of dicts, not one dict."""

    def element(
        self, head: PredictionHead, answers: Answers, texts: Sequence[str], return_class_probs: bool
    ) -> dict[str, Any]:
        """FARM's JSON: `task`, `task_name` and `predictions`, [n]."""
        element = head.format_rows(answers, texts, return_class_probs)
        if self.more is None:
            return element
        both = zip(element["predictions"], self.more(head, answers), strict=True)
        return element | {"predictions": [prediction | more for prediction, more in both]}

    def blank(self, context: str | None) -> dict[str, Any] | None:
        """What stands in the place of a prediction where there is a problem."""
        return None if self.in_lists else {**dict.fromkeys(self.keys), "context": context}


def form_of(head: PredictionHead) -> HeadForm:
    """The form of this head's answers.

    Raises:
        ConfigError: When heads of its kind cannot be predicted with.
    """
    if head.model_type not in HEAD_FORMS:
        raise ConfigError(
            f"a head of type {head.model_type} cannot be predicted with{nearest(head.model_type, HEAD_FORMS)}"
        )
    return HEAD_FORMS[head.model_type]


def check_own_answers(head: PredictionHead) -> None:
    """Raises ConfigError where a user's head overrides what its answers are not made by."""
    kind = type(head)
    if is_own(kind, "format_rows"):
        if head.model_type in _FLAT_BY_ITSELF:
            report_once(f"{kind.__name__}.format_rows shapes the answers to dicts, not those of predict_file")
        return
    refuse_uncalled(kind, {"formatted_preds": "override format_rows(rows, contexts, return_class_probs)"})
    if head.model_type not in _FLAT_BY_ITSELF:
        refuse_uncalled(kind, {"logits_to_preds": "answers are made by format_rows; override that too"})


def _classification(
    head: PredictionHead, answers: Answers, _: Sequence[str], return_class_probs: bool
) -> dict[str, pa.Array]:
    """The columns label and probability, and maybe class_probabilities, a number per label name."""
    probs_nC, labels = _probabilities(head, answers), head.labels()
    if is_own(type(head), "logits_to_preds"):
        best = pa.array(head.logits_to_preds(_stacked(head, answers)), pa.string())
    else:
        best = pa.array(labels, pa.string()).take(pa.array(probs_nC.argmax(axis=1)))
    columns = {
        "label": best,
        "probability": pa.array(probs_nC.max(axis=1, initial=0), pa.float32()),
    }
    return columns | ({"class_probabilities": _by_label(probs_nC, labels)} if return_class_probs else {})


def _multilabel(
    head: PredictionHead, answers: Answers, _: Sequence[str], return_class_probs: bool
) -> dict[str, pa.Array]:
    """The columns labels and probability, lists of equal length, and maybe class_probabilities."""
    probs_nC, labels = _probabilities(head, answers), head.labels()
    chosen_nC = _chosen(head, answers)
    offsets = pa.array(np.cumsum([0, *chosen_nC.sum(axis=1)]), pa.int32())
    names = pa.array(labels, pa.string()).take(pa.array(np.nonzero(chosen_nC)[1]))
    columns = {
        "labels": pa.ListArray.from_arrays(offsets, names),
        "probability": pa.ListArray.from_arrays(offsets, pa.array(probs_nC[chosen_nC], pa.float32())),
    }
    return columns | ({"class_probabilities": _by_label(probs_nC, labels)} if return_class_probs else {})


def _label_lists(head: PredictionHead, answers: Answers) -> list[dict[str, Any]]:
    labels = np.array(head.labels(), object)
    return [{"labels": labels[chosen_C].tolist()} for chosen_C in _chosen(head, answers)]


def _regression(head: PredictionHead, answers: Answers, texts: Sequence[str], _: bool) -> dict[str, pa.Array]:
    """The column prediction, in the labels' own unit."""
    predictions = head.format_rows(answers, texts)["predictions"]
    return {"prediction": pa.array([prediction["pred"] for prediction in predictions], pa.float32())}


def _entities(
    head: PredictionHead, answers: Answers, texts: Sequence[str], return_class_probs: bool
) -> dict[str, pa.Array]:
    """The column entities: lists of label, start, end, text, probability, and maybe class_probabilities."""
    kind = [
        ("label", pa.string()),
        ("start", pa.int64()),
        ("end", pa.int64()),
        ("text", pa.string()),
        ("probability", pa.float32()),
    ]
    labels = head.labels()
    if return_class_probs:
        kind.append(("class_probabilities", pa.struct([(label, pa.float32()) for label in labels])))
    found = head.format_rows(answers, texts, return_class_probs)["predictions"]
    rows = [[_entity(entity, labels, return_class_probs) for entity in of_text] for of_text in found]
    return {"entities": pa.array(rows, pa.list_(pa.struct(kind)))}


def _entity(entity: dict[str, Any], labels: Sequence[str], return_class_probs: bool) -> dict[str, Any]:
    """One entity of FARM's JSON as a flat row."""
    probability = entity["probability"]
    flat = {"label": entity["label"], "start": entity["start"], "end": entity["end"], "text": entity["context"]}
    if not return_class_probs:
        return flat | {"probability": probability}
    by_label = dict(zip(labels, probability.tolist(), strict=True))
    return flat | {"probability": probability.max(), "class_probabilities": by_label}


def _probabilities(head: PredictionHead, answers: Answers) -> npt.NDArray[np.float32]:
    return head.logits_to_probs(_stacked(head, answers))


def _chosen(head: PredictionHead, answers: Answers) -> npt.NDArray[np.bool_]:
    """True for each label that is predicted, [n, C]."""
    return np.array(head.logits_to_preds(_stacked(head, answers)), np.bool_).reshape(len(answers), head.num_labels)


def _stacked(head: PredictionHead, answers: Answers) -> Any:
    import torch

    return torch.from_numpy(np.array(answers, np.float32).reshape(len(answers), head.num_labels))


def _by_label(probs_nC: npt.NDArray[np.float32], labels: Sequence[str]) -> pa.StructArray:
    per_label = [pa.array(np.ascontiguousarray(probs_n), pa.float32()) for probs_n in probs_nC.T]
    return pa.StructArray.from_arrays(per_label, list(labels))


_FLAT_BY_ITSELF = ("text_classification", "multilabel_text_classification")
"""Types of heads whose flat columns are made of labels and probabilities, not of FARM's JSON."""
_ONE_ANSWER = ("start", "end", "context", "label", "probability")

HEAD_FORMS: dict[str, HeadForm] = {
    "text_classification": HeadForm(task_types=("text_classification",), keys=_ONE_ANSWER, columns=_classification),
    "multilabel_text_classification": HeadForm(
        task_types=("text_classification", "multilabel_text_classification"),
        keys=(*_ONE_ANSWER, "labels"),
        columns=_multilabel,
        more=_label_lists,
    ),
    "regression": HeadForm(
        task_types=("regression", "text_classification"), keys=("context", "pred"), columns=_regression
    ),
    "token_classification": HeadForm(task_types=("ner",), keys=(), columns=_entities, in_lists=True),
}
"""By a head's `model_type`."""
