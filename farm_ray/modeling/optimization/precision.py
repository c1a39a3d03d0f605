"""The number format of the forward pass: float32, or bfloat16/float16 where that is faster and safe."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from farm_ray.configuration import nearest
from farm_ray.errors import ConfigError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

_LEVELS = {
    "o0": "fp32",
    "fp32": "fp32",
    "float32": "fp32",
    "o1": "O1",
    "o2": "O2",
    "o3": "O3",
    "fp16": "fp16",
    "float16": "fp16",
    "bf16": "bf16",
    "bfloat16": "bf16",
    "auto": "auto",
}
_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
_CPU_CAPABILITIES = ("avx512_bf16", "amx_bf16", "avx10_2", "bf16", "sve_bf16")
_CPU_FLAGS = {"avx512_bf16", "amx_bf16", "avx10_2", "bf16", "svebf16"}


@dataclass(frozen=True, slots=True)
class Precision:
    """A resolved number format; weights, losses and optimizer state stay float32 in every one."""

    name: str
    """fp32, bf16 or fp16."""
    dtype: torch.dtype
    """What matrix products are computed in."""
    device_type: str
    """cpu or cuda."""
    scaler: torch.amp.GradScaler
    """Scales the loss for fp16 on a GPU; elsewhere disabled, so that its methods pass everything through."""

    @classmethod
    def resolve(cls, use_amp: str | None, device: str | torch.device) -> Precision:
        """The format that `use_amp` means on this device.

        Args:
            use_amp: None, "O0" or "fp32": float32. "auto": bfloat16 where the device has it in hardware, else float16
                on a GPU and float32 on a CPU. "O1" and "fp16": float16 with loss scaling on a GPU; on a CPU "O1" is
                "auto" and "fp16" an error. "bf16": bfloat16. FARM's "O2" and "O3" mean "O1", with a warning.
            device: Where the model runs.

        Raises:
            ConfigError: On an unknown level (the nearest is named) or one that the device cannot do.
        """
        device_type = torch.device(device).type
        level = _level(use_amp)
        name = _on_cuda(level) if device_type == "cuda" else _on_cpu(level, device_type)
        scaler = torch.amp.GradScaler(device_type, enabled=device_type == "cuda" and name == "fp16")
        return cls(name, _DTYPES[name], device_type, scaler)

    def autocast(self) -> AbstractContextManager[None]:
        """A context for the forward pass; casts of a weight are kept until it ends."""
        if self.name == "fp32":
            return torch.autocast(self.device_type, torch.bfloat16, enabled=False)
        return torch.autocast(self.device_type, self.dtype)


def bfloat16_in_hardware() -> bool:
    """Whether this processor multiplies bfloat16 itself (AVX512-BF16, AMX, or Arm's BF16)."""
    if hasattr(torch.cpu, "get_capabilities"):
        capabilities = torch.cpu.get_capabilities()
        return any(capabilities.get(name, False) for name in _CPU_CAPABILITIES)
    try:
        return bool(_CPU_FLAGS & set(Path("/proc/cpuinfo").read_text(encoding="utf-8").split()))
    except OSError:
        return False


def check_use_amp(use_amp: str | None, device_type: str) -> None:
    """Finds out what `Precision.resolve` would refuse, also where the device itself is on another machine.

    Args:
        use_amp: As for `Precision.resolve`.
        device_type: cpu or cuda.

    Raises:
        ConfigError: On an unknown level (the nearest is named) or one that such a device cannot do.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the run itself will say what is slow
        level = _level(use_amp)
        if device_type != "cuda":
            _on_cpu(level, device_type)


def _level(use_amp: str | None) -> str:
    if use_amp is None:
        return "fp32"
    level = _LEVELS.get(use_amp.lower()) if isinstance(use_amp, str) else None
    if level is None:
        known = sorted({*_LEVELS.values(), "O0"})
        raise ConfigError(
            f'use_amp="{use_amp}" is unknown{nearest(str(use_amp), known)}',
            code="invalid-value",
            option="use_amp",
            value=use_amp,
        )
    if level in {"O2", "O3"}:
        _warn(f'use_amp="{level}" trained in pure fp16 with apex; it now means "O1": weights stay float32')
        return "O1"
    return level


def _on_cuda(level: str) -> str:
    bf16 = torch.cuda.is_bf16_supported(including_emulation=False)
    if level == "bf16" and not bf16:
        _warn('use_amp="bf16": this GPU only emulates bfloat16, which is slow; "O1" or "auto" use float16 here')
    if level == "auto":
        return "bf16" if bf16 else "fp16"
    return "fp16" if level == "O1" else level


def _on_cpu(level: str, device_type: str) -> str:
    if level == "fp32":
        return level
    if device_type != "cpu":
        raise ConfigError(
            f'use_amp="{level}" works on cpu and cuda, not on {device_type}; use None',
            code="precision-not-for-device",
            option="use_amp",
            value=level,
            device=device_type,
        )
    if level == "fp16":
        raise ConfigError(
            'use_amp="fp16" needs a GPU; on a CPU use "bf16", "auto" or None',
            code="precision-not-for-device",
            option="use_amp",
            value=level,
            device=device_type,
        )
    hardware = bfloat16_in_hardware()
    if level == "bf16" and not hardware:
        _warn('use_amp="bf16": this processor only emulates bfloat16, which is slow; "auto" or None run in float32')
    if level == "O1" and not hardware:
        _warn('use_amp="O1": this processor has no bfloat16 in hardware, so float32 is used, which is faster here')
    return "bf16" if hardware or level == "bf16" else "fp32"


def _warn(message: str) -> None:
    warnings.warn(message, stacklevel=4)
