"""Which back ends the tests of all of them train with: the CPU's, and CUDA's, under g++ where there is no GPU."""

from __future__ import annotations

import shutil

import torch

from juniper_cascor.engine.backend import CPU_BACKENDS, GPU_BACKENDS, BackendName
from juniper_cascor.engine.cuda.device import CudaDevice
from juniper_cascor.engine.errors import DeviceError


def has_gpu() -> bool:
    """Whether CuPy and torch can reach one."""
    try:
        CudaDevice()
    except DeviceError:
        return False
    return torch.cuda.is_available()


BACKENDS: tuple[BackendName, ...] = (*CPU_BACKENDS, *(GPU_BACKENDS if shutil.which("g++") or has_gpu() else ()))
