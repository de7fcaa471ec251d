"""Where there is no GPU, a stand-in for it runs the kernels."""

from collections.abc import Iterator

import pytest
import torch

from juniper_cascor.engine import torch_backend
from juniper_cascor.engine.cuda import device

from .cuda.shim_device import ShimDevice
from .tested import has_gpu


@pytest.fixture(autouse=True, scope="session")
def gpu() -> Iterator[None]:
    """What the back ends "cupy" and "torch" train on; torch with one thread: several wait where others work too."""
    with pytest.MonkeyPatch.context() as patch:
        if not has_gpu():
            patch.setattr(device, "CudaDevice", ShimDevice)
            patch.setattr(torch_backend, "gpu", lambda: torch.device("cpu"))
            torch.set_num_threads(1)
        yield
