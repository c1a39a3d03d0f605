"""Where a run reports: one seam, `RunLogger`. Hand a logger to the run that uses it, or make it that of the process."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any, Protocol, TextIO, runtime_checkable

from farm_ray.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from farm_ray.plain import PlainMapping

logger = logging.getLogger(__name__)

_INSTALL = 'pip install "farm_ray[tracking]"'
_LONGEST_VALUE = 120
_MLFLOW_VALUE = 500
"""Characters of a parameter that every MLflow takes."""


@runtime_checkable
class RunLogger(Protocol):
    """What a run calls; names as in FARM. A logger never stops a run: one that talks to a server only warns."""

    def log_params(self, params: PlainMapping) -> None:
        """Settings of the run, by name; may be called more than once."""

    def log_metrics(self, metrics: PlainMapping, step: int) -> None:
        """Values at an optimizer step, by name; those that are no numbers may be left out."""

    def log_artifacts(self, dir_path: str | Path, artifact_path: str | None = None) -> None:
        """A folder that the run has written, and a name to keep it under."""

    def end_run(self) -> None:
        """The run is over; nothing is logged after it."""


class StdoutLogger:
    """One readable line per call, on stderr: stdout belongs to results.

    Args:
        stream: Where to write instead.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream

    def log_params(self, params: PlainMapping) -> None:
        """`parameters: epochs=2 learning_rate=2e-05`."""
        self._say("parameters:", [f"{name}={_short(value)}" for name, value in params.items()])

    def log_metrics(self, metrics: PlainMapping, step: int) -> None:
        """`step 200: dev_loss=0.4213 dev_acc=0.8125`; only numbers are shown."""
        self._say(f"step {step}:", [f"{name}={_short(value)}" for name, value in metrics.items() if _is_number(value)])

    def log_artifacts(self, dir_path: str | Path, artifact_path: str | None = None) -> None:
        """`artifacts: saved_models/bert`."""
        self._say("artifacts:", [str(dir_path)] + ([f"as {artifact_path}"] if artifact_path else []))

    def end_run(self) -> None:
        """Nothing is left open."""

    def _say(self, head: str, parts: list[str]) -> None:
        if parts:
            print(head, *parts, file=self._stream or sys.stderr, flush=True)


class NullLogger:
    """Says nothing."""

    def log_params(self, params: PlainMapping) -> None:
        """Left out."""

    def log_metrics(self, metrics: PlainMapping, step: int) -> None:
        """Left out."""

    def log_artifacts(self, dir_path: str | Path, artifact_path: str | None = None) -> None:
        """Left out."""

    def end_run(self) -> None:
        """Left out."""


class TensorBoardTracker:
    """Writes TensorBoard's files, which `tensorboard --logdir` shows.

    Args:
        settings: Those of torch's SummaryWriter, such as `log_dir`; without one `runs/<date and host>`.

    Raises:
        ConfigError: When tensorboard is not installed.
    """

    def __init__(self, **settings: object) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise ConfigError(f"TensorBoard is not installed ({error}): {_INSTALL}", code="library-missing") from None
        self._writer = SummaryWriter(**settings)

    def log_params(self, params: PlainMapping) -> None:
        """A text for each."""
        for name, value in params.items():
            self._writer.add_text(name, str(value))

    def log_metrics(self, metrics: PlainMapping, step: int) -> None:
        """A scalar for each that is a number."""
        for name, value in metrics.items():
            if _is_number(value):
                self._writer.add_scalar(name, float(value), step)

    def log_artifacts(self, dir_path: str | Path, artifact_path: str | None = None) -> None:
        """Where the folder is, as a text."""
        self._writer.add_text(artifact_path or "artifacts", str(dir_path))

    def end_run(self) -> None:
        """Closes the files."""
        self._writer.close()


class MLFlowTracker:
    """A run on an MLflow server, or in a folder. What fails there is a warning: a run never ends for it.

    Args:
        uri: Address of the server, or a folder; None is MLflow's own default.
        experiment: Name of the experiment.
        run: Name of the run.
        nested: Whether it may begin inside of a run that is open.

    Raises:
        ConfigError: When mlflow is not installed.
    """

    def __init__(self, uri: str | Path | None, experiment: str, run: str | None = None, *, nested: bool = True) -> None:
        try:
            import mlflow
        except ImportError as error:
            raise ConfigError(f"MLflow is not installed ({error}): {_INSTALL}", code="library-missing") from None
        self._mlflow = mlflow
        if uri is not None:
            self._try("set_tracking_uri", str(uri))
        self._try("set_experiment", experiment)
        self._try("start_run", run_name=run, nested=nested)

    def log_params(self, params: PlainMapping) -> None:
        """As MLflow's parameters, values cut at what it takes."""
        self._try("log_params", {name: str(value)[:_MLFLOW_VALUE] for name, value in params.items()})

    def log_metrics(self, metrics: PlainMapping, step: int) -> None:
        """The numbers as MLflow's metrics."""
        self._try("log_metrics", {n: float(v) for n, v in metrics.items() if _is_number(v)}, step=step)

    def log_artifacts(self, dir_path: str | Path, artifact_path: str | None = None) -> None:
        """Copies the folder there."""
        self._try("log_artifacts", str(dir_path), artifact_path)

    def end_run(self) -> None:
        """Ends the run."""
        self._try("end_run")

    def _try(self, name: str, *args: object, **kwargs: object) -> None:
        try:
            getattr(self._mlflow, name)(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - whatever a server, a network or a disk does
            logger.warning("MLflow: %s failed (%s)", name, " ".join(str(error).split())[:300])


_in_use: list[RunLogger] = []
"""The logger of this process, if any. State, because FARM's loggers are begun in one place and heard in another."""


def use(run_logger: RunLogger | None) -> None:
    """Makes this the logger of trainings that are given none; None ends that."""
    _in_use[:] = [] if run_logger is None else [run_logger]


def in_use() -> RunLogger | None:
    """The logger of trainings that are given none."""
    return _in_use[0] if _in_use else None


LOGGERS: dict[str, type[StdoutLogger | NullLogger]] = {"none": NullLogger, "stdout": StdoutLogger}
"""What an experiment can name as its tracker."""


def _is_number(value: object) -> bool:
    return hasattr(value, "__float__") and not isinstance(value, str)


def _short(value: Any) -> str:
    if _is_number(value) and not isinstance(value, int):
        return f"{float(value):.4g}"
    text = " ".join(str(value).split())
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"
