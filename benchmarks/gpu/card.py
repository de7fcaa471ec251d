"""The card, and its ceilings: how fast it copies, and how fast it multiplies matrices of float32."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from juniper_cascor.engine.errors import DeviceError

_COPIED = 2**28  # floats: many times what a cache holds
_SIDE = 8192  # of the matrices that are multiplied
_REPEATS = 10
_DRIVER = Path("/sys/module/nvidia/version")


@dataclass(frozen=True, slots=True)
class Card:
    """A GPU as PyTorch finds it."""

    name: str
    memory_bytes: int
    n_processors: int
    driver: str
    cuda: str
    copy_bytes_per_s: float  # read and written
    flops_per_s: float  # of a product of float32 without TF32


def measured_card() -> Card:
    """Measure the first GPU.

    Raises:
        DeviceError: PyTorch sees none.
        ImportError: there is no PyTorch.
    """
    import torch  # only now: it takes seconds

    if not torch.cuda.is_available():
        raise DeviceError("PyTorch sees no GPU")
    torch.backends.cuda.matmul.fp32_precision = "ieee"  # no TF32
    properties: Any = torch.cuda.get_device_properties(0)
    return Card(
        name=properties.name,
        memory_bytes=properties.total_memory,
        n_processors=properties.multi_processor_count,
        driver=_DRIVER.read_text(encoding="ascii").strip() if _DRIVER.exists() else "unknown",
        cuda=str(torch.version.cuda),
        copy_bytes_per_s=_copy_bytes_per_s(torch),
        flops_per_s=_flops_per_s(torch),
    )


def _copy_bytes_per_s(torch: Any) -> float:
    here, there = torch.randn(_COPIED, device="cuda"), torch.empty(_COPIED, device="cuda")
    return 2 * 4 * _COPIED / _seconds(torch, lambda: there.copy_(here))


def _flops_per_s(torch: Any) -> float:
    a, b = (torch.randn(_SIDE, _SIDE, device="cuda") for _ in range(2))  # a product of zeros takes less power
    out = torch.empty(_SIDE, _SIDE, device="cuda")
    return 2.0 * _SIDE**3 / _seconds(torch, lambda: torch.matmul(a, b, out=out))


def _seconds(torch: Any, call: Callable[[], object]) -> float:
    """Median, by the card's own clock."""
    for _ in range(3):
        call()
    seconds: list[float] = []
    for _ in range(_REPEATS):
        began, ended = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        began.record()
        call()
        ended.record()
        torch.cuda.synchronize()
        seconds.append(float(began.elapsed_time(ended)) / 1e3)
    return median(seconds)
