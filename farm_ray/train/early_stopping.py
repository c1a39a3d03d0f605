"""When to stop training, and which evaluation was the best. Needs no torch."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from pydantic import NonNegativeFloat, NonNegativeInt

from farm_ray import storage
from farm_ray.configuration import Config, nearest, strict_arguments
from farm_ray.errors import CheckpointError, ConfigError
from farm_ray.evaluation.results import HeadResult
from farm_ray.options import arguments_checked

if TYPE_CHECKING:
    from pathlib import Path

    from farm_ray.plain import PlainDict, PlainMapping

EvalResult = Sequence[HeadResult]
Mode = Literal["min", "max"]

_BETTER = {"min": -1.0, "max": 1.0}
_HIGHER_IS_BETTER = (
    *("acc", "acc_and_f1", "exact_match", "f1", "f1_macro", "f1_micro", "f1_samples", "mcc"),
    *("corr", "pearson", "r2", "spearman"),
    *("seq_f1", "seq_precision", "seq_recall"),
    "EM",
)
_USUAL_MODE = dict.fromkeys(("loss", "mse", "average_rank"), "min") | dict.fromkeys(_HIGHER_IS_BETTER, "max")


class EarlyStoppingConfig(Config):
    """When to stop before the last epoch; the best weights are kept."""

    metric: str = "loss"
    """A value of the dev results."""
    mode: Mode = "min"
    """Which values are better."""
    patience: NonNegativeInt = 0
    """Evaluations in a row without improvement that are tolerated; one more stops the training."""
    min_delta: NonNegativeFloat = 0.001
    """An improvement must be larger than this."""
    min_evals: NonNegativeInt = 0
    """So many first evaluations never count, neither as best nor against the patience."""
    head: NonNegativeInt = 0
    """Position of the head whose results count."""


_DEFAULTS = EarlyStoppingConfig()


class EarlyStopping:
    """Says after each evaluation whether to stop and whether to keep the model.

    The options are those of `EarlyStoppingConfig`; `metric` may also be a function from the whole evaluation result
    (a list with one dict per head) to a number.

    Args:
        save_dir: Folder for the best model; None keeps none.

    Attributes:
        eval_values: Every value seen, in order.
        best_so_far: The best value that counted; None before the first.
        n_since_best: Counted evaluations since then.

    Raises:
        ConfigError: When an argument is out of its range.
    """

    @strict_arguments
    def __init__(
        self,
        head: int = _DEFAULTS.head,
        metric: str | Callable[[EvalResult], float] = _DEFAULTS.metric,
        save_dir: str | Path | None = None,
        mode: Mode = _DEFAULTS.mode,
        patience: int = _DEFAULTS.patience,
        min_delta: float = _DEFAULTS.min_delta,
        min_evals: int = _DEFAULTS.min_evals,
    ) -> None:
        if not isinstance(metric, str) and not callable(metric):
            raise ConfigError(
                f"EarlyStopping: metric must be a name or a function, not {metric!r}",
                code="invalid-value",
                option="metric",
                value=metric,
            )
        with arguments_checked("EarlyStopping: "):
            options = EarlyStoppingConfig(
                head=head, mode=mode, patience=patience, min_delta=min_delta, min_evals=min_evals
            )
        usual = _USUAL_MODE.get(metric, mode) if isinstance(metric, str) else mode
        if usual != mode:
            warnings.warn(f'EarlyStopping keeps the worst {metric}: mode="{usual}" is usual for it', stacklevel=3)
        self.head = options.head
        self.metric = metric
        self.save_dir = None if save_dir is None else storage.local_path(save_dir)
        self.mode: Mode = options.mode
        self.patience = options.patience
        self.min_delta = options.min_delta
        self.min_evals = options.min_evals
        self.eval_values: list[float] = []
        self.best_so_far: float | None = None
        self.n_since_best = 0

    def check_stopping(self, eval_result: EvalResult) -> tuple[bool, bool, float]:
        """Takes in one evaluation: whether to stop, whether to save the model to `save_dir`, and the value.

        A value that is no finite number is never an improvement.

        Raises:
            ConfigError: When the head or the metric is not in the result (those there are named), or is no number.
        """
        value = self._value(eval_result)
        self.eval_values.append(value)
        if len(self.eval_values) <= self.min_evals:
            return False, False, value
        improved = self._improves(value)
        if improved:
            self.best_so_far = value
        self.n_since_best = 0 if improved else self.n_since_best + 1
        return self.n_since_best > self.patience, improved and self.save_dir is not None, value

    @property
    def is_best(self) -> bool:
        """Whether the last evaluation is the best that counted; true too where there is no `save_dir`."""
        return self.best_so_far is not None and self.n_since_best == 0

    def reset(self) -> None:
        """Forgets what it has seen; the settings stay. Every `Trainer.train()` begins with it."""
        self.eval_values = []
        self.best_so_far = None
        self.n_since_best = 0

    def state_dict(self) -> PlainDict:
        """What it has seen, as plain JSON values (numbers that JSON lacks are text, as "nan")."""
        return {
            "eval_values": [_to_json(value) for value in self.eval_values],
            "best_so_far": self.best_so_far,
            "n_since_best": self.n_since_best,
        }

    def load_state_dict(self, state: PlainMapping) -> None:
        """Goes on from a `state_dict()`; the settings stay those of this object.

        Raises:
            CheckpointError: When the state is not one of EarlyStopping.
        """
        missing = [key for key in self.state_dict() if key not in state]
        if missing:
            raise CheckpointError(
                f"the early-stopping state of the checkpoint lacks {', '.join(missing)}",
                code="incomplete-state",
                value=missing,
            )
        best = state["best_so_far"]
        self.eval_values = [float(value) for value in state["eval_values"]]
        self.best_so_far = None if best is None else float(best)
        self.n_since_best = int(state["n_since_best"])

    def _improves(self, value: float) -> bool:
        if not math.isfinite(value):
            return False
        return self.best_so_far is None or (value - self.best_so_far) * _BETTER[self.mode] > self.min_delta

    def _value(self, eval_result: EvalResult) -> float:
        if not isinstance(self.metric, str):
            what, found = "its metric function", self.metric(eval_result)
        else:
            what, found = f'the metric "{self.metric}"', self._named(self.metric, eval_result)
        try:
            return float(found)
        except (TypeError, ValueError):
            raise ConfigError(
                f"EarlyStopping: {what} gave {found!r:.80}, which is no number", code="metric-not-a-number", value=found
            ) from None

    def _named(self, metric: str, eval_result: EvalResult) -> Any:
        if self.head >= len(eval_result):
            there = f"the model has {len(eval_result)} (counted from 0)"
            raise ConfigError(
                f"EarlyStopping: there is no head {self.head}; {there}", code="unknown-head", value=self.head
            )
        result = eval_result[self.head]
        if metric not in result:
            numbers = [name for name, value in result.items() if isinstance(value, int | float)]
            hint = nearest(metric, numbers)
            there = "" if "known are" in hint else f" Known are: {', '.join(sorted(numbers))}"
            raise ConfigError(
                f'EarlyStopping: head {self.head} has no metric "{metric}"{hint}{there}',
                code="unknown-metric",
                value=metric,
            )
        return result[metric]


def _to_json(value: float) -> float | str:
    return value if math.isfinite(value) else str(value)
