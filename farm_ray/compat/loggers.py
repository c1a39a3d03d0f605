"""FARM's experiment loggers: an object that begins an experiment, and class methods that log into it.

The library's own training logs there too, from `init_experiment` to `end_run`: one logger, the one begun last. In
FARM it always was MLflow. A `tracker` that `Trainer` is given goes first.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from farm_ray import tracking

if TYPE_CHECKING:
    from pathlib import Path

    from farm_ray.data_handler.given_rows import Row
    from farm_ray.tracking import RunLogger

logger = logging.getLogger(__name__)

L = TypeVar("L", bound="BaseMLLogger")


class BaseMLLogger:
    """What loggers have in common; one of your own overrides `init_experiment` and the class methods.

    Args:
        tracking_uri: Where to log.
    """

    disable_logging: ClassVar[bool] = False
    _target: ClassVar[RunLogger | None] = None
    """Where this class logs to, since `init_experiment`."""

    def __init__(self, tracking_uri: str | Path | None = None, **kwargs: object) -> None:
        self.tracking_uri = tracking_uri
        self.settings = kwargs

    def init_experiment(self, experiment_name: str, run_name: str | None = None, nested: bool = True) -> None:
        """Begins a run of an experiment."""
        raise NotImplementedError

    @classmethod
    def log_metrics(cls, metrics: Row, step: int) -> None:
        """Values at a step."""
        if cls._target is not None and not cls.disable_logging:
            cls._target.log_metrics(metrics, step)

    @classmethod
    def log_params(cls, params: Row) -> None:
        """Settings of the run."""
        if cls._target is not None and not cls.disable_logging:
            cls._target.log_params(params)

    @classmethod
    def log_artifacts(cls, dir_path: str | Path, artifact_path: str | None = None) -> None:
        """A folder that the run has written."""
        if cls._target is not None and not cls.disable_logging:
            cls._target.log_artifacts(dir_path, artifact_path)

    @classmethod
    def end_run(cls) -> None:
        """The run is over."""
        if cls._target is not None:
            cls._target.end_run()
        cls._begin(None)

    @classmethod
    def disable(cls) -> None:
        """Logs nothing from now on."""
        logger.warning("logging is disabled")
        cls.disable_logging = True

    @classmethod
    def _begin(cls, target: RunLogger | None) -> None:
        cls._target = target
        tracking.use(None if target is None else cls)  # its class methods are the logger's


class StdoutLogger(BaseMLLogger):
    """One readable line per call, on stderr: stdout belongs to results."""

    def init_experiment(self, experiment_name: str, run_name: str | None = None, nested: bool = True) -> None:  # noqa: ARG002
        """Names the experiment."""
        logger.info("experiment %s, run %s", experiment_name, run_name or "without a name")
        self._begin(tracking.StdoutLogger())


class MLFlowLogger(BaseMLLogger):
    """Logs to an MLflow server or folder; `pip install farm_ray[tracking]`. What fails there is a warning only.

    Args:
        tracking_uri: Address of the server, or a folder.
    """

    def init_experiment(self, experiment_name: str, run_name: str | None = None, nested: bool = True) -> None:
        """Begins a run, inside of the one that is open where `nested`.

        Raises:
            ConfigError: When mlflow is not installed.
        """
        target = tracking.MLFlowTracker(self.tracking_uri, experiment_name, run_name, nested=nested)
        self._begin(target)


class TensorBoardLogger(BaseMLLogger):
    """Writes TensorBoard's files; `pip install farm_ray[tracking]`.

    Args:
        kwargs: Those of torch's SummaryWriter, such as `log_dir`; the run begins at once.

    Raises:
        ConfigError: When tensorboard is not installed.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._begin(tracking.TensorBoardTracker(**self.settings))

    def init_experiment(self, experiment_name: str, run_name: str | None = None, nested: bool = True) -> None:
        """Nothing: the run has begun."""
