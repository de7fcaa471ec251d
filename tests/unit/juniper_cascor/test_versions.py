"""What a training on a GPU is recorded with."""

import pytest

from juniper_cascor import versions
from juniper_cascor.engine.cuda import host_facts
from juniper_cascor.engine.cuda.availability import CudaFacts, DeviceFacts, Facts, Package, judge


def test_a_gpu_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With its driver, and the library of the back end."""
    facts = Facts(
        nodes=("nvidia0", "nvidiactl", "nvidia-uvm"),
        driver="580.1",
        cuda=CudaFacts((13, 0), devices=(DeviceFacts("NVIDIA H100", (9, 0), 80 << 30),)),
        cupy=(Package("cupy-cuda13x", "14.2.0", (13,)),),
        torch=Package("torch", "2.13.0", (13, 0)),
    )
    monkeypatch.setattr(host_facts, "known", lambda: judge(facts))
    told = {name: versions.of_gpu(name) for name in ("cupy", "torch", "numba-serial")}
    card = {"gpu": "NVIDIA H100", "driver": "580.1"}
    assert told == {"cupy": {**card, "cupy": "14.2.0"}, "torch": {**card, "torch": "2.13.0"}, "numba-serial": {}}
