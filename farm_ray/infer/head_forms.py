"""Which form the answers of a head have, and whether a head of a user's own has one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from farm_ray.configuration import nearest
from farm_ray.errors import ConfigError
from farm_ray.overrides import is_own, refuse_uncalled, report_once
from farm_ray.tasks.table import all_specs, spec_of_head

if TYPE_CHECKING:
    from farm_ray.modeling.prediction_head import PredictionHead
    from farm_ray.tasks.answers import AnswerForm


def form_of(head: PredictionHead) -> AnswerForm:
    """The form of this head's answers.

    Raises:
        ConfigError: When heads of its kind cannot be predicted with.
    """
    spec = spec_of_head(head.model_type)
    if spec is None or spec.answers is None:
        known = [one.head_type for one in all_specs() if one.answers is not None]
        raise ConfigError(
            f"a head of type {head.model_type} cannot be predicted with{nearest(head.model_type, known)}",
            code="head-without-answers",
            value=head.model_type,
        )
    return spec.answers


def task_types_of(head: PredictionHead) -> tuple[str, ...]:
    """What `Inferencer` may call the task of a head that `form_of` knows, its own choice first."""
    spec = spec_of_head(head.model_type)
    return () if spec is None else spec.inference_names


def check_own_answers(head: PredictionHead) -> None:
    """Raises ConfigError where a user's head overrides what its answers are not made by."""
    kind, spec = type(head), spec_of_head(head.model_type)
    made_of_labels = spec is not None and spec.answers is not None and not spec.answers.made_by_format_rows
    if is_own(kind, "format_rows"):
        if made_of_labels:
            report_once(f"{kind.__name__}.format_rows shapes the answers to dicts, not those of predict_file")
        return
    refuse_uncalled(kind, {"formatted_preds": "override format_rows(rows, contexts, return_class_probs)"})
    if not made_of_labels:
        refuse_uncalled(kind, {"logits_to_preds": "answers are made by format_rows; override that too"})
