"""Tasks as a processor makes them."""

from farm_ray.tasks import task
from farm_ray.tasks.table import spec_named


def make_task(name, *, task_type=None, metric="acc", label_list=None, **fields):
    spec = spec_named(task_type, task_name=name)
    return task.make_task(name, spec=spec, metric=metric, label_list=label_list, **fields)
