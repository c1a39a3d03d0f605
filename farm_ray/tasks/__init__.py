"""Kinds of tasks: a file for each, and the table that finds them by name."""

from farm_ray.tasks.answers import AnswerForm
from farm_ray.tasks.labels import Labels
from farm_ray.tasks.spec import TaskSpec, TransformersModel
from farm_ray.tasks.table import register_task
from farm_ray.tasks.task import Task

__all__ = ["AnswerForm", "Labels", "Task", "TaskSpec", "TransformersModel", "register_task"]
