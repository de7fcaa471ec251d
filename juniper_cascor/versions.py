"""What a training ran on: its result is the same bit for bit only where all of this is the same."""

import importlib.metadata
import platform
from pathlib import Path

from juniper_common import __version__


def of_libraries() -> dict[str, str]:
    """The versions of Juniper, Python and the libraries that compute or keep; loads none of them."""
    libraries = {name: importlib.metadata.version(name) for name in ("numpy", "numba", "h5py")}
    return {"juniper": __version__, "python": platform.python_version(), **libraries}


def of_machine() -> dict[str, str]:
    """The processor, and what numba compiles for it. Loads numba: for processes that train."""
    from numba.core.registry import cpu_target

    # What numba's own cache of compiled code is keyed by.
    _, name, features = cpu_target.target_context.codegen().magic_tuple()
    present = sorted(feature[1:] for feature in features.split(",") if feature.startswith("+"))
    return {"cpu": _model() or platform.machine(), "cpu_target": name, "cpu_features": " ".join(present)}


def _model() -> str | None:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), None)
