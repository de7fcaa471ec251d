"""Where there is no GPU, a stand-in for it runs the kernels."""

from collections.abc import Iterator

import pytest

from juniper_cascor.engine.cuda import device

from .cuda.shim_device import ShimDevice
from .tested import has_gpu


@pytest.fixture(autouse=True, scope="session")
def gpu() -> Iterator[None]:
    """What the back end "cupy" trains on."""
    with pytest.MonkeyPatch.context() as patch:
        if not has_gpu():
            patch.setattr(device, "CudaDevice", ShimDevice)
        yield
