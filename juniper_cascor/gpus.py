"""The host's NVIDIA GPUs, as the driver's management library tells of them."""

import logging
from collections.abc import Callable
from typing import Any, TypeVar

from juniper_common.wire.host import Gpu

log = logging.getLogger(__name__)

Value = TypeVar("Value")


Nvml = Any
"""NVIDIA's management library, by the names of its Python binding `pynvml`, which has no types."""


def load_nvml() -> Nvml:
    """The real library. Raises ImportError where the `gpu` extra is not installed."""
    import pynvml  # Only now: a host without a GPU never needs it.

    return pynvml


class Gpus:
    """Reads every GPU of the host; none where the library or the driver is missing, since that is no error."""

    def __init__(self, load: Callable[[], Nvml] = load_nvml) -> None:
        self._load = load
        self._library: Nvml = None

    def __call__(self) -> list[Gpu]:
        """The GPUs as they are now."""
        try:
            library = self._load()
        except ImportError:
            return []
        try:
            if self._library is None:
                # Kept open: the driver may take a second to wake up, and sleeps again once nobody has it open.
                library.nvmlInit()
                self._library = library
            return [_read(library, index) for index in range(library.nvmlDeviceGetCount())]
        except library.NVMLError as error:
            log.debug("no GPU can be read: %s", error)
            self._library = None
            return []


def _read(library: Nvml, index: int) -> Gpu:
    handle = library.nvmlDeviceGetHandleByIndex(index)

    def told(ask: Callable[[], Value]) -> Value | None:
        try:
            return ask()
        except library.NVMLError:  # Not every GPU tells everything: one that is shared has no use of its own.
            return None

    memory = told(lambda: library.nvmlDeviceGetMemoryInfo(handle))
    use = told(lambda: library.nvmlDeviceGetUtilizationRates(handle))
    milliwatts = told(lambda: library.nvmlDeviceGetPowerUsage(handle))
    return Gpu(
        index=index,
        name=library.nvmlDeviceGetName(handle),
        memory_used=memory.used if memory else None,
        memory_total=memory.total if memory else None,
        utilisation_percent=use.gpu if use else None,
        temperature_c=told(lambda: library.nvmlDeviceGetTemperature(handle, library.NVML_TEMPERATURE_GPU)),
        power_w=None if milliwatts is None else milliwatts / 1_000,
    )
