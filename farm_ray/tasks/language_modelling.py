"""The tokens of a text themselves: masked, to be found by the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from farm_ray.tasks.labels import Labels
from farm_ray.tasks.spec import TaskSpec, TransformersModel

if TYPE_CHECKING:
    from farm_ray.tasks.task import Task


class Vocabulary(Labels):
    """The tokenizer's own ids; batches make them where they mask tokens, so that no table holds them."""

    def label_list(self, name: str, label_list: Any) -> list[Any]:  # noqa: ARG002 - as `Labels`
        """Empty: FARM's saved folders hold the vocabulary here."""
        return []

    def arrow_type(self, task: Task) -> pa.DataType:  # noqa: ARG002 - ids, whatever the task
        """An id per token: list<int32>."""
        return pa.list_(pa.int32())

    def ids(self, task: Task, label: Any) -> list[int]:  # noqa: ARG002 - as `Labels`
        """Token ids stand for themselves."""
        return list(label)


LANGUAGE_MODELLING = TaskSpec(
    name="language_modelling",
    farm_name="lm",
    processor="BertStyleLMProcessor",
    head="BertLMHead",
    head_type="language_modelling",
    metric="acc",
    labels=Vocabulary(),
    transformers=TransformersModel(endings=("MaskedLM", "PreTraining")),
)
