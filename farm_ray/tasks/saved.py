"""Tasks of saved folders and of dicts, FARM's among them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from farm_ray.tasks.language_modelling import LANGUAGE_MODELLING
from farm_ray.tasks.table import spec_named
from farm_ray.tasks.task import Task, make_task

if TYPE_CHECKING:
    from farm_ray.plain import PlainDict, PlainMapping


def loaded_task(name: str, fields: PlainMapping) -> Task:
    """A task from a saved configuration; keys that no task has are left out."""
    if isinstance(fields, Task):
        return fields
    fields = {**fields, **_of_language_model(name, fields)}
    multi_hot = fields.get("multi_hot")
    return make_task(
        name,
        spec=spec_named(fields.get("task_type"), task_name=name),
        metric=fields.get("metric"),
        label_list=fields.get("label_list") or None,
        label_column_name=fields.get("label_column_name"),
        label_name=fields.get("label_name"),
        label_tensor_name=fields.get("label_tensor_name"),
        text_column_name=fields.get("text_column_name"),
        multi_hot=multi_hot if isinstance(multi_hot, bool) else None,
    )


def _of_language_model(name: str, fields: PlainMapping) -> PlainDict:
    """FARM saved the vocabulary as labels of "lm", and named the labels of "nextsentence" the wrong way round."""
    given, labels = fields.get("task_type"), list(fields.get("label_list") or [])
    if name == "nextsentence" and labels == ["False", "True"]:
        return {"label_list": labels[::-1], "task_type": given or "classification"}
    tensor = fields.get("label_tensor_name")
    known = given is None and (name, tensor) == ("lm", "lm_label_ids")
    return {"task_type": LANGUAGE_MODELLING.name} if known else {}
