"""Tasks as a processor makes them, and what they learn from a column of labels."""

import pyarrow as pa

from farm_ray.tasks import task
from farm_ray.tasks.classification import OneLabel
from farm_ray.tasks.multilabel import SeveralLabels
from farm_ray.tasks.table import spec_named
from farm_ray.tasks.token_classification import TagPerWord


def make_task(name, *, task_type=None, metric="acc", label_list=None, **fields):
    spec = spec_named(task_type, task_name=name)
    return task.make_task(name, spec=spec, metric=metric, label_list=label_list, **fields)


def found(kind, labels, **task):
    """What the column of a task without a label list says, cut in two."""
    types = {OneLabel: "classification", SeveralLabels: "multilabel_classification", TagPerWord: "token_classification"}
    made = make_task("mood", metric=None, task_type=types[kind]).changed(**task)
    column = made.labels.learned("mood", made)
    values = pa.array(labels, pa.list_(pa.string()) if kind is TagPerWord else pa.string())
    ids = pa.array([f"train.tsv:{number}" for number in range(2, 2 + len(labels))], pa.string())
    for part in (slice(0, 2), slice(2, None)):
        column.add(pa.chunked_array([values[part]]), pa.chunked_array([ids[part]]))
    return column.fields()
