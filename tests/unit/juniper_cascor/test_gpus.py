"""What the driver tells of GPUs, and what it does not."""

from dataclasses import dataclass

import pytest

from juniper_cascor.gpus import Gpus
from juniper_common.wire.host import Gpu


class NvmlError(Exception):
    """The library's error."""


@dataclass
class Figures:
    """What the library answers in structures."""

    used: int = 0
    total: int = 0
    gpu: int = 0


class FakeNvml:
    """A driver with one GPU, called as the library calls it; `failing` are the calls that it refuses."""

    NVMLError = NvmlError
    NVML_TEMPERATURE_GPU = 0

    def __init__(self, *failing: str) -> None:
        self.failing = set(failing)
        self.initialisations = 0

    def _may(self, call: str) -> None:
        if call in self.failing:
            raise NvmlError(call)

    def nvmlInit(self) -> None:  # noqa: N802, D102
        self._may("init")
        self.initialisations += 1

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802, D102
        self._may("count")
        return 1

    def nvmlDeviceGetHandleByIndex(self, index: int) -> str:  # noqa: N802, D102
        return f"handle {index}"

    def nvmlDeviceGetName(self, handle: str) -> str:  # noqa: N802, D102
        return f"GPU of {handle}"

    def nvmlDeviceGetMemoryInfo(self, _: str) -> Figures:  # noqa: N802, D102
        self._may("memory")
        return Figures(used=3, total=8)

    def nvmlDeviceGetUtilizationRates(self, _: str) -> Figures:  # noqa: N802, D102
        self._may("utilisation")
        return Figures(gpu=40)

    def nvmlDeviceGetTemperature(self, _: str, sensor: int) -> int:  # noqa: N802, D102
        assert sensor == self.NVML_TEMPERATURE_GPU
        self._may("temperature")
        return 55

    def nvmlDeviceGetPowerUsage(self, _: str) -> int:  # noqa: N802, D102
        self._may("power")
        return 70_500


def test_every_figure_is_told() -> None:
    """In the units of the model: the library counts milliwatts."""
    assert Gpus(FakeNvml)() == [
        Gpu(
            index=0,
            name="GPU of handle 0",
            memory_used=3,
            memory_total=8,
            utilisation_percent=40,
            temperature_c=55,
            power_w=70.5,
        )
    ]


def test_figure_that_a_gpu_does_not_tell_is_null() -> None:
    """A GPU that is shared tells no use of its own; the rest is told."""
    (gpu,) = Gpus(lambda: FakeNvml("memory", "utilisation", "temperature", "power"))()
    assert gpu.model_dump(exclude={"index", "name"}) == {
        "memory_used": None,
        "memory_total": None,
        "utilisation_percent": None,
        "temperature_c": None,
        "power_w": None,
    }


@pytest.mark.parametrize("call", ["init", "count"])
def test_without_a_driver_there_are_none(call: str) -> None:
    """A host without a GPU is no error."""
    assert Gpus(lambda: FakeNvml(call))() == []


def test_without_the_library_there_are_none() -> None:
    """It comes with the extra `gpu`."""

    def load() -> object:
        raise ImportError("pynvml")

    assert Gpus(load)() == []


def test_library_is_opened_once_and_again_after_a_failure() -> None:
    """A driver that was exchanged under the service is found again."""
    nvml = FakeNvml()
    gpus = Gpus(lambda: nvml)
    gpus()
    gpus()
    assert nvml.initialisations == 1
    nvml.failing = {"count"}
    assert gpus() == []
    nvml.failing = set()
    assert len(gpus()) == 1
    assert nvml.initialisations == 2
