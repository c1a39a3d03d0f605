"""What a user registered in this process, to be registered in another one: metrics, reports and kinds of tasks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from farm_ray.evaluation.metrics import register_metrics, register_report, registered_metrics, registered_reports
from farm_ray.tasks.table import register_task, registered_tasks

if TYPE_CHECKING:
    from farm_ray.evaluation.metric import MetricFunction
    from farm_ray.tasks.spec import TaskSpec


@dataclass(frozen=True, kw_only=True)
class Registrations:
    """Travels to worker processes."""

    metrics: dict[str, MetricFunction]
    reports: dict[str, MetricFunction]
    tasks: tuple[TaskSpec, ...]

    @classmethod
    def of_this_process(cls) -> Registrations:
        """All that was registered here."""
        return cls(metrics=registered_metrics(), reports=registered_reports(), tasks=registered_tasks())

    def any(self) -> bool:
        """Whether there is something."""
        return bool(self.metrics or self.reports or self.tasks)

    def register(self) -> None:
        """Registers all of it here."""
        for name, function in self.metrics.items():
            register_metrics(name, function)
        for output_type, function in self.reports.items():
            register_report(output_type, function)
        for spec in self.tasks:
            register_task(spec)
