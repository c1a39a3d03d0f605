"""Rows to try a metric on before there are any: right predictions, as heads of each type of task give them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


def trial_rows(task_type: str | None, label_list: Sequence[Any]) -> list[Any]:
    """One row per label; of a regression some numbers; nothing while there are no labels."""
    if task_type == "regression":
        return [0.0, 0.5, 2.0]
    if task_type == "multilabel_classification":
        return [[int(one == other) for other in label_list] for one in label_list]
    if task_type == "token_classification":
        return [[label] for label in label_list]
    return list(label_list)
