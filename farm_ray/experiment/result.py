"""What a run came to, as the job's JSON line reports it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from farm_ray.evaluation.results import HeadResult
    from farm_ray.plain import PlainDict


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """The outcome of `run_experiment`; plain values only."""

    status: Literal["ok", "preempted"]
    """`preempted`: stopped by a signal; the same run can go on from its checkpoint."""
    metrics: dict[str, dict[str, object]] = field(default_factory=dict)
    """Per set (dev, test): the loss and the metrics; with several tasks one such dict per task name."""
    rows: int
    """Training rows used, each as often as it was used."""
    rows_repeated: int
    """Of these, rows of steps that the weights had seen before, however often the run was interrupted: 0."""
    restarts: int
    """How often Ray Train started the workers again, from the last checkpoint."""
    steps: int
    """Optimizer steps."""
    seconds: dict[str, float]
    """Wall time of `preprocess`, `train`, of that `data` (batches after the first), and `eval`."""
    rows_per_second: float
    """Training rows per second of training."""
    order_hash: str
    """Which rows each step used; equal for equal runs, whatever the number of workers."""
    problems: dict[str, int]
    """Rows quarantined, by kind of problem."""
    model_dir: str | None
    """The saved model; None when the run was stopped before."""
    resumed_from_step: int = 0
    """Steps that were done when this run was started; 0 for a run from scratch."""
    finished_before: bool = False
    """The run had ended before: nothing was done, and the other fields are those of its end."""

    def as_dict(self) -> PlainDict:
        """The fields by name, in the order above."""
        return asdict(self)


def by_set(dev: list[HeadResult] | None, test: list[HeadResult] | None) -> dict[str, dict[str, object]]:
    """The numbers of evaluation results (one dict per head): flat for one head, per task name for several."""
    sets = {"dev": dev, "test": test}
    return {name: _numbers(heads) for name, heads in sets.items() if heads is not None}


def reports(dev: list[HeadResult] | None, test: list[HeadResult] | None) -> dict[str, dict[str, object]]:
    """The text reports of evaluation results, by set and task name."""
    sets = {"dev": dev, "test": test}
    return {
        name: {str(head["task_name"]): head["report"] for head in heads if head.get("report") is not None}
        for name, heads in sets.items()
        if heads is not None
    }


def _numbers(heads: list[HeadResult]) -> PlainDict:
    per_task = {
        str(head.get("task_name", number)): {
            key: float(value) for key, value in head.items() if key not in {"task_name", "report"} and _is_number(value)
        }
        for number, head in enumerate(heads)
    }
    return next(iter(per_task.values())) if len(per_task) == 1 else per_task


def _is_number(value: object) -> bool:
    return hasattr(value, "__float__") and not isinstance(value, bool)
