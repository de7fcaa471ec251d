"""A CUDA device that is none: the kernels' sources under g++, with fibers for threads (see shim.hpp)."""

from __future__ import annotations

import ctypes
import hashlib
import subprocess
import tempfile
import weakref
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from juniper_cascor.engine.cuda import device
from juniper_cascor.engine.cuda.device import Kernel, Launch
from juniper_cascor.engine.errors import DeviceMemoryError

_FLAGS = (
    "-std=c++20",
    "-O2",
    "-ffp-contract=off",
    "-U_FORTIFY_SOURCE",
    "-shared",
    "-fPIC",
    "-Werror",
    "-Wall",
    "-Wno-unknown-pragmas",
)
_SHIM = Path(__file__).with_name("shim.hpp")


class ShimDevice:
    """Computes what a GPU would. See `device.Device`.

    Args:
        pool_room: So many candidates it holds at once; None: as many as there are.
    """

    shared_bytes = 232_448
    n_processors = 4

    def __init__(self, _stream: device.Stream | None = None, *, pool_room: int | None = None) -> None:
        self._pool_room = pool_room
        self._held: list[weakref.ref[NDArray[np.generic]]] = []

    def array(self, values: NDArray[np.generic]) -> NDArray[np.generic]:
        """A copy."""
        copy = values.copy()
        if self._pool_room is not None and values.dtype == np.bool_:  # a candidate has one of these
            self._held = [held for held in self._held if held() is not None]
            if sum(len(array) for held in self._held if (array := held()) is not None) + len(copy) > self._pool_room:
                raise DeviceMemoryError("the GPU has no room")
            self._held.append(weakref.ref(copy))
        return copy

    def zeros(self, shape: Sequence[int], dtype: DTypeLike) -> NDArray[np.generic]:
        """Zeros."""
        return np.zeros(shape, dtype)

    def extended(self, values: NDArray[Any], n_rows: int) -> NDArray[Any]:
        """A copy with more rows."""
        whole = np.zeros((n_rows, *values.shape[1:]), values.dtype)
        whole[: len(values)] = values
        return whole

    def host(self, values: NDArray[Any]) -> NDArray[Any]:
        """A copy."""
        return values.copy()

    def largest(self, values: NDArray[Any]) -> NDArray[Any]:
        """The largest of each column."""
        return np.asarray(values.max(axis=0))

    def launch(self, kernel: Kernel, launch: Launch, *arguments: Any) -> None:
        """Run a kernel to its end."""
        assert launch.shared_bytes <= self.shared_bytes
        run = _compiled(kernel)
        # A pointer to each argument, as cuLaunchKernel takes them; of an array that is a pointer to its address.
        held = [_passed(value) for value in arguments]
        pointers = (ctypes.c_void_p * len(held))(*(value.ctypes.data for value in held))
        is_within = run(
            ctypes.c_uint(launch.blocks),
            ctypes.c_uint(launch.threads),
            ctypes.c_size_t(launch.shared_bytes),
            ctypes.c_bool(launch.is_cooperative),
            pointers,
        )
        assert is_within, f"{kernel} writes beyond the {launch.shared_bytes} bytes of shared memory that it was given"


def _passed(value: Any) -> NDArray[Any]:
    is_array = isinstance(value, np.ndarray)
    return np.array([value.ctypes.data if is_array else value], np.uintp if is_array else value.dtype)


@cache
def _compiled(kernel: Kernel) -> Any:
    names = [name for name, file in device.SOURCES.items() if file == device.SOURCES[kernel.name]]
    text = f'#include "{_SHIM}"\n{device.source(kernel.name)}' + "".join(f"EXPORT({name})\n" for name in names)
    options = [*_FLAGS, *kernel.options]
    digest = hashlib.sha256("\n".join((_SHIM.read_text(), text, *options)).encode()).hexdigest()[:16]
    library = Path(tempfile.gettempdir()) / f"juniper-kernels-{digest}.so"
    if not library.exists():
        own = Path(tempfile.mkdtemp()) / library.name
        command = ["g++", *options, "-x", "c++", "-", "-o", str(own)]
        subprocess.run(command, input=text, text=True, check=True)
        own.replace(library)
    run = getattr(ctypes.CDLL(str(library)), f"launch_{kernel.name}")
    run.restype = ctypes.c_bool
    return run
