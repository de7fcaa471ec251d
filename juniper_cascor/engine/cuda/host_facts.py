"""Gathers what there is for GPU back ends: files and versions here, CUDA in a process of its own.

It loads neither CuPy nor torch, begins no CUDA in this process, and raises nothing where something is missing.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from juniper_cascor.engine.cuda.availability import Availability, CudaFacts, DeviceFacts, Facts, Package, is_gpu, judge
from juniper_cascor.engine.errors import DeviceError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from juniper_cascor.engine.backend import GpuBackendName

QUESTION = (sys.executable, "-I", str(Path(__file__).with_name("driver_question.py")))
_TIMEOUT_S = 60  # eight sleeping GPUs take ten seconds and more to wake
_CUPY = re.compile(r"cupy(-cuda(?P<major>\d{2})x)?")
_DRIVER_VERSION = re.compile(r"Kernel Module.*?\s(\d+\.\d+(?:\.\d+)?)\s")
_TORCH_CUDA = re.compile(r"^cuda\b.*= ['\"](\d+)\.(\d+)", re.MULTILINE)
_NEEDED = ("nvidiactl", "nvidia-uvm")


def availability() -> Availability:
    """The verdicts for this host and this environment."""
    return judge(gather(os.environ))


@cache
def known() -> Availability:
    """The verdicts as they were when this process first asked, which may take a second."""
    return availability()


def _may_open(node: Path) -> bool:
    return os.access(node, os.R_OK | os.W_OK)


def explained(backend: GpuBackendName, error: DeviceError) -> DeviceError:
    """The error of a back end that could not begin: why, and the next thing to do, where that can be told."""
    verdict = availability().backends[backend]
    return error if verdict.is_usable else DeviceError(f"{backend} cannot train here: {verdict} ({error})")


def gather(
    environment: Mapping[str, str],
    *,
    root: Path = Path("/"),
    packages: Sequence[str] = sys.path,
    question: Sequence[str] = QUESTION,
    may_open: Callable[[Path], bool] = _may_open,
) -> Facts:
    """Look at the host.

    Args:
        environment: CUDA_VISIBLE_DEVICES and CUDA_PATH are read from it.
        root: where /dev, /proc and /sys are.
        packages: folders with installed libraries.
        question: the program that asks the driver; it is not run where no driver is loaded.
        may_open: whether this user can read and write a node.
    """
    nodes = _nodes(root)
    driver = _driver(root)
    versions = _installed(packages)
    toolkit = _toolkit(environment, root)
    return Facts(
        pci_gpus=_pci_gpus(root),
        nodes=nodes,
        closed_nodes=tuple(node for node in nodes if _is_needed(node) and not may_open(root / "dev" / node)),
        driver=driver,
        visible_devices=environment.get("CUDA_VISIBLE_DEVICES"),
        cuda=_ask(question) if driver or nodes else CudaFacts(),
        cupy=tuple(_cupy(versions[name]) for name in sorted(versions) if _CUPY.fullmatch(name)),
        torch=_torch(versions["torch"]) if "torch" in versions else None,
        nvrtc=_version(versions, "nvidia-cuda-nvrtc") or toolkit,
        headers=_version(versions, "nvidia-cuda-runtime") or toolkit,
    )


def _nodes(root: Path) -> tuple[str, ...]:
    return tuple(sorted(path.name for path in (root / "dev").glob("nvidia*")))


def _is_needed(node: str) -> bool:
    return node in _NEEDED or is_gpu(node)


def _driver(root: Path) -> str | None:
    text = _text(root / "proc/driver/nvidia/version")
    found = _DRIVER_VERSION.search(text)
    return found[1] if found else text.partition("\n")[0] or None


def _pci_gpus(root: Path) -> int:
    """Display and 3D controllers of NVIDIA's: the class is 0x03xxxx."""
    folders = (root / "sys/bus/pci/devices").glob("*")
    return sum(_text(each / "vendor") == "0x10de" and _text(each / "class").startswith("0x03") for each in folders)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:  # a sandbox hides it, it was unplugged, or an installation was interrupted
        return ""


def _ask(question: Sequence[str]) -> CudaFacts:
    try:
        asked = subprocess.run(  # noqa: S603 -- this package's own file
            question, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return CudaFacts(error=f"no answer within {_TIMEOUT_S} s")
    if asked.returncode:
        last = asked.stderr.strip().rpartition("\n")[2]
        return CudaFacts(error=last or f"the process that asked it ended with {asked.returncode}")
    told = json.loads(asked.stdout)
    if "error" in told:
        return CudaFacts(error=told["error"])
    devices = tuple(DeviceFacts(it["name"], tuple(it["capability"]), it["memory_total"]) for it in told["devices"])
    return CudaFacts(tuple(told["supports"]), told["code"], devices=devices)


def _installed(folders: Sequence[str]) -> dict[str, metadata.Distribution]:
    """By name; of two the one that Python finds first. What an interrupted installation left has no name."""
    found: dict[str, metadata.Distribution] = {}
    for distribution in metadata.distributions(path=list(folders)):
        if distribution.name:
            found.setdefault(distribution.name.lower().replace("_", "-"), distribution)
    return found


def _cupy(distribution: metadata.Distribution) -> Package:
    """A wheel's name says its CUDA; what was built from source is taken to be for the one that is there."""
    named = _CUPY.fullmatch(distribution.name.lower())
    major = named["major"] if named else None
    return Package(distribution.name, distribution.version, (int(major),) if major else None)


def _torch(distribution: metadata.Distribution) -> Package:
    """Its CUDA stands in a module of torch's own; importing torch would take seconds."""
    found = _TORCH_CUDA.search(_text(Path(str(distribution.locate_file("torch/version.py")))))
    return Package("torch", distribution.version, (int(found[1]), int(found[2])) if found else None)


def _version(versions: Mapping[str, metadata.Distribution], name: str) -> str | None:
    """Of NVIDIA's wheel; those for CUDA 12 end with -cu12."""
    return next((versions[each].version for each in (name, f"{name}-cu12") if each in versions), None)


def _toolkit(environment: Mapping[str, str], root: Path) -> str | None:
    """A CUDA toolkit that was installed on the host, which has both compiler and headers."""
    given = environment.get("CUDA_PATH") or environment.get("CUDA_HOME")
    folder = Path(given) if given else root / "usr/local/cuda"
    return str(folder) if any(folder.glob("lib64/libnvrtc.so*")) else None
