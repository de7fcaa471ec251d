"""What a training ran on: its result is the same bit for bit only where all of this is the same."""

import importlib.metadata
import platform
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

import threadpoolctl

from juniper_cascor.engine.backend import GPU_BACKENDS
from juniper_cascor.engine.cuda import host_facts
from juniper_common import __version__


def here(backend: str = "") -> dict[str, str]:
    """All of it, for a snapshot's card. Loads numba: for processes that train."""
    return {**of_libraries(), **of_machine(), **of_gpu(backend)}


def of_libraries() -> dict[str, str]:
    """The versions of Juniper, Python and the libraries that compute or keep; loads none of them."""
    return {"juniper": __version__, "python": platform.python_version(), **_installed()}


@cache  # Each look reads files, and a sweep records a thousand runs.
def _installed() -> Mapping[str, str]:
    return MappingProxyType({name: importlib.metadata.version(name) for name in ("numpy", "numba", "h5py")})


def of_gpu(backend: str) -> Mapping[str, str]:
    """The GPU, its driver and the library that a back end trains with; nothing where that is one of the CPU."""
    facts = host_facts.known().facts if backend in GPU_BACKENDS else None
    if facts is None or not facts.cuda.devices:
        return MappingProxyType({})
    library = facts.torch if backend == "torch" else facts.cupy[0] if facts.cupy else None
    told = {"gpu": facts.cuda.devices[0].name, "driver": facts.driver or "unknown"}
    return MappingProxyType(told | ({backend: library.version} if library else {}))


@cache
def of_machine() -> Mapping[str, str]:
    """The processor, and what numba and NumPy's BLAS make of it. Loads numba."""
    from numba.core.registry import cpu_target

    # What numba's own cache of compiled code is keyed by.
    _, name, features = cpu_target.target_context.codegen().magic_tuple()
    present = sorted(feature[1:] for feature in features.split(",") if feature.startswith("+"))
    machine = {"cpu": _model() or platform.machine(), "cpu_target": name, "cpu_features": " ".join(present)}
    return MappingProxyType(machine | {"blas": _blas()})


def _blas() -> str:
    """The library that NumPy's matrix products use, and the processor that it chose its loops for."""
    found = [library for library in threadpoolctl.threadpool_info() if library["user_api"] == "blas"]
    # SciPy and torch bring their own, which stand beside them.
    own = next((library for library in found if "numpy" in library["filepath"]), found[0] if found else None)
    if own is None:
        return "unknown"
    return f"{own['internal_api']} {own['version']} {own.get('architecture', '')}".strip()


def _model() -> str | None:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), None)
