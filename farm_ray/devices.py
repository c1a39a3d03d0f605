"""Where a model computes: what a caller names, what is there, and what an error of a GPU means."""

from __future__ import annotations

import contextlib
import logging
import warnings
from typing import TYPE_CHECKING

from farm_ray.errors import ConfigError, FarmRayError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch

logger = logging.getLogger(__name__)

_OF_THE_HARDWARE = (
    "uncorrectable ecc",
    "unspecified launch failure",
    "illegal memory access",
    "hardware stack error",
    "unknown error",
    "nvlink",
    "busy or unavailable",
    "launch timed out",
    "launch was terminated",
    "driver shutting down",
    "context is destroyed",
)
"""In a "CUDA error" that may pass with another process or another GPU; any other comes again."""
_OUT_OF_MEMORY = ("out of memory", "cublas_status_alloc_failed", "cudnn_status_alloc_failed")
_ASSERT = "device-side assert"


def initialize_device_settings(
    use_cuda: bool, local_rank: int = -1, use_amp: str | None = None
) -> tuple[torch.device, int]:
    """FARM's `(device, n_gpu)`, for `AdaptiveModel(device=device)` and `Trainer(device=device, n_gpu=n_gpu)`.

    Args:
        use_cuda: Take the GPU; without one the CPU, with a warning.
        local_rank: Kept for FARM compatibility: Ray Train starts the workers (`Trainer(num_workers=...)`).
        use_amp: Kept for FARM compatibility: `Trainer(use_amp=...)`.

    Returns:
        The device, and the number of GPUs of this machine, 0 on the CPU.
    """
    import torch

    if local_rank != -1 or use_amp is not None:
        warnings.warn(
            "local_rank and use_amp have no effect here: give num_workers and use_amp to Trainer", stacklevel=2
        )
    device = torch.device(available_device(gpu=use_cuda, said="use_cuda=True"))
    return device, torch.cuda.device_count() if device.type == "cuda" else 0


def available_device(*, gpu: bool, said: str = "gpu=True") -> str:
    """`cuda` or `cpu`; as in FARM, a missing GPU is no error, but a warning in the log that quotes what was `said`."""
    import torch

    if not gpu:
        return "cpu"
    if torch.cuda.is_available():
        return "cuda"
    logger.warning("%s, but torch sees no GPU: computing on the CPU", said)
    return "cpu"


def checked_device(device: torch.device | str) -> torch.device:
    """The device, if it is here.

    Raises:
        ConfigError: On an unknown name, or a GPU that torch does not see.
    """
    import torch

    known = _known(device)
    if known.type != "cuda":
        return known
    there = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if not there:
        raise ConfigError(
            f'device="{known}", but torch sees no GPU here; give device="cpu"', code="no-gpu-here", value=str(known)
        )
    if known.index is not None and known.index >= there:
        raise ConfigError(
            f'device="{known}", but torch sees {there} GPU here, cuda:0 to cuda:{there - 1}',
            code="no-gpu-here",
            value=str(known),
        )
    return known


def training_device(
    *,
    use_gpu: bool | None,
    device: torch.device | str | None,
    n_gpu: int | None,
    num_workers: tuple[int, int],
    model: torch.nn.Module,
) -> torch.device:
    """Where a training computes, from all the ways to say it, ours and FARM's.

    Args:
        use_gpu: None: by `device` or `n_gpu`; where these say nothing either, the device that the model is on.
        device: As in FARM; with workers on Ray each has the GPU that Ray gives it.
        n_gpu: GPUs as in FARM: 0 the CPU, 1 the GPU, more as many workers.
        num_workers: The fewest and the most, 0 for this process.
        model: What is trained, where it is now.

    Raises:
        ConfigError: When they contradict each other. Whether the device is here is not asked: it may be a worker's.
    """
    import torch

    here = num_workers[1] == 0
    named = None if device is None else _known(device)
    if named is not None and named.type not in {"cpu", "cuda"}:
        raise ConfigError(
            f'training on device="{named}" is not available; give "cpu" or "cuda"',
            code="unknown-device",
            value=str(named),
        )
    _check_agreement(use_gpu, named, n_gpu)
    _check_number(n_gpu, num_workers)
    if named is not None:
        if not here and named.index is not None:
            raise ConfigError(
                f'device="{named}" names one GPU, but Ray gives each worker its own; give device="cuda"',
                code="one-gpu-named",
                value=str(named),
            )
        return named
    of_model = next((weight.device for weight in model.parameters()), torch.device("cpu"))
    gpu = use_gpu if use_gpu is not None else n_gpu > 0 if n_gpu is not None else of_model.type == "cuda"
    if gpu and here and of_model.type == "cuda":
        return of_model
    return torch.device("cuda" if gpu else "cpu")


def may_pass(error: Exception) -> bool:
    """Whether an error of a GPU is one of the hardware, so that the same steps may go well in another process."""
    told = str(error).lower()
    return "cuda error" in told and not _is_out_of_memory(error) and any(sign in told for sign in _OF_THE_HARDWARE)


def explained(error: Exception) -> Exception:
    """The error, or a readable one in its place where the GPU refused what the run asked of it."""
    if isinstance(error, FarmRayError) or not isinstance(error, RuntimeError):
        return error
    if _is_out_of_memory(error):
        return ConfigError(
            f"the memory is too small for a batch ({_first_line(error)}); give a smaller batch_size (in training with "
            'a larger grad_acc_steps), a smaller max_seq_len, or use_amp="bf16"',
            code="out-of-memory",
        )
    if _ASSERT in str(error).lower():
        return ConfigError(
            "the GPU met an index outside of its table (device-side assert): a token, position, segment or label id "
            "that the model does not have; run again with CUDA_LAUNCH_BLOCKING=1, or on the CPU, to see which",
            code="index-outside-its-table",
        )
    return error


@contextlib.contextmanager
def explaining() -> Iterator[None]:
    """Errors inside as `explained` has them."""
    try:
        yield
    except RuntimeError as error:
        readable = explained(error)
        if readable is error:
            raise
        raise readable from error


def _known(device: torch.device | str) -> torch.device:
    import torch

    try:
        return torch.device(device)
    except (RuntimeError, TypeError):
        raise ConfigError(
            f'there is no device {device!r}; give "cpu" or "cuda"', code="unknown-device", value=device
        ) from None


def _check_agreement(use_gpu: bool | None, named: torch.device | None, n_gpu: int | None) -> None:
    if n_gpu is not None and (isinstance(n_gpu, bool) or not isinstance(n_gpu, int) or n_gpu < 0):
        raise ConfigError(
            f"n_gpu must be a number of GPUs, 0 or more, not {n_gpu!r}",
            code="invalid-value",
            option="n_gpu",
            value=n_gpu,
        )
    said: dict[str, bool] = {}
    if use_gpu is not None:
        said[f"use_gpu={use_gpu}"] = use_gpu
    if named is not None:
        said[f'device="{named}"'] = named.type == "cuda"
    if n_gpu is not None:
        said[f"n_gpu={n_gpu}"] = n_gpu > 0
    if len(set(said.values())) > 1:
        raise ConfigError(
            f"{' and '.join(said)} contradict each other; give one of them",
            code="conflicting-options",
            value=list(said),
        )


def _check_number(n_gpu: int | None, num_workers: tuple[int, int]) -> None:
    least, most = num_workers
    if n_gpu is None or n_gpu <= 1 or least <= n_gpu <= most:
        return
    # In FARM that was DataParallel in one process.
    given = "" if most == 0 else f", but num_workers={most if least == most else num_workers}"
    raise ConfigError(
        f"n_gpu={n_gpu}{given}: several GPUs are several workers; give num_workers={n_gpu} and use_gpu=True, with "
        "learning_rate and schedule_opts in place of an optimizer of your own, or n_gpu=1 for one GPU",
        code="conflicting-options",
        option="n_gpu",
        value=n_gpu,
    )


def _is_out_of_memory(error: Exception) -> bool:
    import torch

    told = str(error).lower()
    named = isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in told
    return named or (("cuda" in told or "cublas" in told or "cudnn" in told) and any(s in told for s in _OUT_OF_MEMORY))


def _first_line(error: object) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
