"""From the errors Ray wraps around a failure to the failure itself."""

from __future__ import annotations

from farm_ray.errors import ClusterError, FarmRayError

_ADVICE = "\nFailed to apply UDF"
"""Begins what Ray Data appends to a message: how often it tried, and how to make it try again."""


def cause_of(error: BaseException) -> BaseException:
    """The FarmRayError or KeyboardInterrupt behind a Ray error, else a ClusterError with Ray's in one line."""
    found = underlying_error(error)
    if isinstance(found, FarmRayError | KeyboardInterrupt):
        return found
    told, _, _ = str(error).partition(_ADVICE)
    lines = [line.strip() for line in told.splitlines() if line.strip()]
    return ClusterError(
        f"Ray could not finish the work: {lines[-1] if lines else type(error).__name__}", code="ray-failed"
    )


def underlying_error(error: BaseException) -> BaseException:
    """The FarmRayError or KeyboardInterrupt inside Ray's wrappers, else `error` itself."""
    waiting, seen = [error], set()
    while waiting:
        current = waiting.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        inner = _inner_errors(current)
        if isinstance(current, FarmRayError) and not hasattr(current, "cause"):
            return _as_raised(current)
        if isinstance(current, KeyboardInterrupt):
            return current
        waiting += inner
    return error


def _as_raised(error: FarmRayError) -> FarmRayError:
    message, _, appended = str(error).partition(_ADVICE)
    return error.reworded(message) if appended else error


def _inner_errors(error: BaseException) -> list[BaseException]:
    failures = getattr(error, "worker_failures", None)
    found = [getattr(error, "cause", None), getattr(error, "controller_failure", None)]
    found += failures.values() if isinstance(failures, dict) else []
    found.append(error.__cause__)
    return [inner for inner in found if isinstance(inner, BaseException)]
