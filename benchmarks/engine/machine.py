"""What the figures were measured on."""

from __future__ import annotations

import contextlib
import os
import platform
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path

from threadpoolctl import threadpool_info

_DISTRIBUTIONS = ("numpy", "numba", "llvmlite", "scikit-learn", "scipy")


def describe(*more: str) -> dict[str, str]:
    """Processor, memory and versions, for a table; of more distributions than those of every benchmark."""
    blas = {f"{pool['internal_api']} {pool.get('version')}" for pool in threadpool_info() if pool["user_api"] == "blas"}
    return {
        "processor": f"{_processor()}, {len(os.sched_getaffinity(0))} cores",
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}, {platform.machine()}",
        "versions": ", ".join([f"Python {platform.python_version()}", *_installed((*_DISTRIBUTIONS, *more))]),
        "BLAS": ", ".join(sorted(blas)),
        "FANN": _debian_version("libfann2"),
    }


def _installed(names: Iterable[str]) -> Iterator[str]:
    """Those of the distributions that there are, with their versions."""
    for name in names:
        with contextlib.suppress(metadata.PackageNotFoundError):
            yield f"{name} {metadata.version(name)}"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or "unknown"


def _debian_version(package: str) -> str:
    """As dpkg has it on record."""
    records = Path("/var/lib/dpkg/status")
    is_it = False
    for line in records.read_text(encoding="utf-8").splitlines() if records.exists() else []:
        if line.startswith("Package: "):
            is_it = line == f"Package: {package}"
        elif is_it and line.startswith("Version: "):
            return f"{package} {line.removeprefix('Version: ')}"
    return "not from a Debian package"
