"""What a kind of task is: all its names, its labels, its head, and how its answers are shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from farm_ray.tasks.answers import AnswerForm
    from farm_ray.tasks.labels import Labels


@dataclass(frozen=True, kw_only=True)
class TransformersModel:
    """How transformers knows the task."""

    endings: tuple[str, ...]
    """Ends of the names of its classes: `SequenceClassification` of BertForSequenceClassification."""
    problem_type: str | None = None
    """What its configuration calls the task, where one class is for several."""


@dataclass(frozen=True, kw_only=True, eq=False)
class TaskSpec:
    """A kind of task. Every other module asks this for what depends on the kind. Kinds of one name are equal.

    WORD_COUNT = TaskSpec(
        name="word_count", farm_name="word_count", processor="WordCountProcessor", head="WordCountHead",
        head_type="word_count", metric="mse", labels=Count(),
    )
    register_task(WORD_COUNT)
    """

    name: str
    """`task_type` of a processor's task, also in saved folders."""
    farm_name: str
    """`task_type` of `Inferencer` and of conversions, as FARM calls it."""
    processor: str
    """Class of the processor that reads its rows."""
    head: str
    """Class of the head that answers it."""
    head_type: str
    """`model_type` of its heads."""
    metric: str
    """Default metric."""
    labels: Labels
    """What its labels are."""
    answers: AnswerForm | None = None
    """How its answers are shown; None: it cannot be predicted with."""
    transformers: TransformersModel | None = None
    """transformers' models for it; None: there are none that can be converted."""
    task_name: str = ""
    """Name of the task that a processor adds by itself; empty: FARM's name."""
    predicted_as: tuple[str, ...] = ()
    """What `Inferencer` may call it, its own choice first; empty: FARM's name. In FARM `text_classification` stands for
    all that transformers' sequence classifiers do."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TaskSpec) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)

    @property
    def own_task_name(self) -> str:
        """Name of the task that a processor adds by itself."""
        return self.task_name or self.farm_name

    @property
    def inference_names(self) -> tuple[str, ...]:
        """What `Inferencer` may call it, its own choice first."""
        return self.predicted_as or (self.farm_name,)
