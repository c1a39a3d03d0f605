"""What may watch the results on dev and stop a training: `EarlyStopping`, or an object of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from farm_ray.evaluation.results import HeadResult
    from farm_ray.plain import PlainDict


class Stopper(Protocol):
    """Says after each evaluation whether to stop."""

    def check_stopping(self, eval_result: list[HeadResult]) -> tuple[bool, bool, float]:
        """Whether to stop, whether to keep the model, and the watched value."""


class ResumableStopper(Stopper, Protocol):
    """A stopper with a state, which a resumed run goes on with."""

    def state_dict(self) -> PlainDict:
        """What it has seen, as plain values."""

    def load_state_dict(self, state: PlainDict) -> None:
        """Takes the state that `state_dict` gave."""
