"""A CUDA device: arrays on it, and the kernels beside this file, compiled when they are first launched."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np

from juniper_cascor.engine.errors import DeviceError, DeviceMemoryError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import DTypeLike, NDArray

Array: TypeAlias = Any
"""An array on a device: CuPy's, which has no types."""

SOURCES = {
    "train_candidates": "candidates.cu",
    "install": "candidates.cu",
    "correlate": "products.cu",
    "end_epoch": "products.cu",
    "train_outputs": "outputs.cu",
    "measure_residuals": "outputs.cu",
}
"""The kernels, each with the file that it stands in."""

OPTIONS = ("-std=c++17", "--fmad=false")
"""What the sources are compiled with; see arithmetic.cu for why."""


@dataclass(frozen=True, slots=True)
class Kernel:
    """A kernel in one of its variants; see arithmetic.cu."""

    name: str
    units: int = 1
    is_staged: bool = False

    @property
    def options(self) -> tuple[str, ...]:
        """What makes the variant."""
        return f"-DUNITS={self.units}", f"-DSTAGED={int(self.is_staged)}"


@dataclass(frozen=True, slots=True)
class Launch:
    """How many blocks of how many threads, with how much dynamic shared memory each."""

    blocks: int
    threads: int
    shared_bytes: int = 0
    is_cooperative: bool = False  # blocks wait for one another


def source(kernel: str) -> str:
    """The text of a kernel but for what stands before it, for a GPU (on_the_chip.cu) or for a test."""
    return "".join(_text(name) for name in ("arithmetic.cu", "candidate.cu", SOURCES[kernel]))


def whole_source(kernel: str) -> str:
    """The text that a kernel is compiled from for a GPU."""
    return _text("on_the_chip.cu") + source(kernel)


def _text(name: str) -> str:
    return (Path(__file__).parent / name).read_text(encoding="utf-8")


class Device(Protocol):
    """What the back end asks of a device."""

    shared_bytes: int
    """The most shared memory that a block can have."""

    n_processors: int

    def array(self, values: NDArray[np.generic]) -> Array:
        """A copy on the device. Raises DeviceError."""

    def zeros(self, shape: Sequence[int], dtype: DTypeLike) -> Array:
        """Raises DeviceError."""

    def extended(self, values: Array, n_rows: int) -> Array:
        """A copy with so many rows, those beyond the given ones zeros. Raises DeviceError."""

    def host(self, values: Array) -> NDArray[Any]:
        """A copy on the host, when all that was launched is done. Raises DeviceError."""

    def largest(self, values: Array) -> NDArray[Any]:
        """The largest of each column, on the host. Raises DeviceError."""

    def launch(self, kernel: Kernel, launch: Launch, *arguments: Array | np.generic | int) -> None:
        """Launch a kernel; its arguments are arrays on the device, or numbers of the kernel's own types.

        Raises:
            DeviceError: it cannot be compiled or launched.
        """


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream of another library's, as CuPy's launches take one."""

    ptr: int


class CudaDevice:
    """The first CUDA device that this process sees, through CuPy. See `Device`.

    Args:
        stream: Where to launch kernels; by default on CuPy's current one.

    Raises:
        DeviceError: there is no CuPy, no driver or no device.
    """

    def __init__(self, stream: Stream | None = None) -> None:
        try:
            import cupy
        except ImportError as error:
            raise DeviceError(f"CuPy cannot be imported: {error}") from error
        self._cupy = cupy
        self._stream = stream
        self._functions: dict[Kernel, Any] = {}
        with self._errors():
            attributes = cupy.cuda.Device().attributes
            self.shared_bytes = int(attributes["MaxSharedMemoryPerBlockOptin"])
            self.n_processors = int(attributes["MultiProcessorCount"])

    def array(self, values: NDArray[np.generic]) -> Array:
        """A copy on the device."""
        with self._errors():
            return self._cupy.asarray(np.ascontiguousarray(values))

    def zeros(self, shape: Sequence[int], dtype: DTypeLike) -> Array:
        """Zeros on the device."""
        with self._errors():
            return self._cupy.zeros(shape, dtype)

    def extended(self, values: Array, n_rows: int) -> Array:
        """A copy with so many rows."""
        with self._errors():
            whole = self._cupy.zeros((n_rows, *values.shape[1:]), values.dtype)
            whole[: len(values)] = values
            return whole

    def largest(self, values: Array) -> NDArray[Any]:
        """The largest of each column."""
        with self._errors():
            return np.asarray(self._cupy.asnumpy(values.max(axis=0)))

    def host(self, values: Array) -> NDArray[Any]:
        """A copy on the host."""
        with self._errors():
            return np.asarray(self._cupy.asnumpy(values))

    def launch(self, kernel: Kernel, launch: Launch, *arguments: Array | np.generic | int) -> None:
        """Launch a kernel."""
        with self._errors():
            function = self._function(kernel, is_cooperative=launch.is_cooperative)
            if launch.shared_bytes > function.max_dynamic_shared_size_bytes:
                function.max_dynamic_shared_size_bytes = launch.shared_bytes
            function(
                (launch.blocks,), (launch.threads,), arguments, shared_mem=launch.shared_bytes, stream=self._stream
            )

    def _function(self, kernel: Kernel, *, is_cooperative: bool) -> Any:
        if kernel not in self._functions:
            module = self._cupy.RawModule(
                code=whole_source(kernel.name),
                options=OPTIONS + kernel.options,
                enable_cooperative_groups=is_cooperative,
            )
            self._functions[kernel] = module.get_function(kernel.name)
        return self._functions[kernel]

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        """Raise what CUDA and CuPy raise as the engine's own errors."""
        cupy = self._cupy
        try:
            yield
        except cupy.cuda.memory.OutOfMemoryError as error:
            raise DeviceMemoryError(f"the GPU has no room: {error}") from error
        except (
            cupy.cuda.runtime.CUDARuntimeError,
            cupy.cuda.driver.CUDADriverError,
            cupy.cuda.compiler.CompileException,
        ) as error:
            raise DeviceError(f"the GPU cannot be trained on: {error}") from error
