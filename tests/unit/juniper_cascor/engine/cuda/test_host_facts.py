"""What is seen of a host, here a folder, and of a driver, here a library with two devices."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from juniper_cascor.engine.cuda import host_facts
from juniper_cascor.engine.cuda.availability import CudaFacts, DeviceFacts, Package
from juniper_cascor.engine.cuda.host_facts import QUESTION, gather
from juniper_cascor.engine.errors import DeviceError

OPEN_MODULE = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release Build  (builder@host)\n"
MODULE = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.183.01  Sun May 12 19:39:15 UTC 2024\nGCC version: 12\n"
LIBRARY = """
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
int cuDriverGetVersion(int *n) { *n = 12020; return 0; }
int cuInit(unsigned flags) {
    if (getenv("CU_DIE")) abort();
    return getenv("CU_CODE") ? atoi(getenv("CU_CODE")) : 0;
}
int cuDeviceGetCount(int *n) { *n = 2; return 0; }
int cuDeviceGet(int *device, int i) { *device = i; return 0; }
int cuDeviceGetName(char *name, int n, int device) { strncpy(name, device ? "B" : "A", n); return 0; }
int cuDeviceTotalMem_v2(size_t *n, int device) { *n = (size_t)8 << 30; return 0; }
int cuDeviceGetAttribute(int *n, int attribute, int device) { *n = attribute == 75 ? 8 + device : 6; return 0; }
"""
SILENT = (sys.executable, "-c", """print('{"error": "no"}')""")
"""A program in the place of the one that asks the driver."""


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """A host with one GPU and its driver."""
    files = {
        "dev/nvidiactl": "",
        "dev/nvidia0": "",
        "dev/nvidia-uvm": "",
        "proc/driver/nvidia/version": OPEN_MODULE,
        "sys/bus/pci/devices/0000:01:00.0/vendor": "0x10de\n",
        "sys/bus/pci/devices/0000:01:00.0/class": "0x030200\n",
        "sys/bus/pci/devices/0000:01:00.1/vendor": "0x10de\n",
        "sys/bus/pci/devices/0000:01:00.1/class": "0x040300\n",
        "sys/bus/pci/devices/0000:02:00.0/vendor": "0x8086\n",
        "sys/bus/pci/devices/0000:02:00.0/class": "0x030000\n",
    }
    for name, text in files.items():
        path = tmp_path / "host" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "host"


@pytest.fixture(scope="module")
def libcuda(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a driver's library that is compiled here."""
    folder = tmp_path_factory.mktemp("libcuda")
    (folder / "cuda.c").write_text(LIBRARY)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", folder / "libcuda.so.1", folder / "cuda.c"], check=True)
    return folder


def install(folder: Path, name: str, version: str, version_module: str = "") -> None:
    """Put an installed library, as pip leaves it, into a folder."""
    described = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    described.mkdir(parents=True)
    (described / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (folder / name).mkdir()
    (folder / name / "version.py").write_text(version_module)


def test_the_hardware_and_the_driver(host: Path) -> None:
    """GPUs on the bus, without their audio outputs and others' GPUs; nodes; the kernel module's version."""
    facts = gather({"CUDA_VISIBLE_DEVICES": "0"}, root=host, packages=(), question=SILENT)
    assert (facts.pci_gpus, facts.driver, facts.visible_devices) == (1, "580.65.06", "0")
    assert facts.nodes == ("nvidia-uvm", "nvidia0", "nvidiactl")
    assert facts.cuda == CudaFacts(error="no")
    (host / "proc/driver/nvidia/version").write_text(MODULE)
    assert gather({}, root=host, packages=(), question=SILENT).driver == "535.183.01"


def test_a_host_without_anything_is_no_error(tmp_path: Path) -> None:
    """And nobody asks a driver there."""
    facts = gather({}, root=tmp_path, packages=(), question=("/no/such/program",))
    assert (facts.pci_gpus, facts.nodes, facts.driver, facts.cupy, facts.torch) == (0, (), None, (), None)


def test_a_node_that_is_not_this_users(host: Path) -> None:
    """It may be its group's."""
    facts = gather({}, root=host, packages=(), question=SILENT, may_open=lambda node: node.name != "nvidia0")
    assert facts.closed_nodes == ("nvidia0",)


def test_the_libraries_are_read_and_not_loaded(tmp_path: Path) -> None:
    """Their versions, and the CUDA that they were built for."""
    install(tmp_path, "cupy-cuda13x", "14.2.0")
    install(tmp_path, "nvidia-cuda-nvrtc", "13.0.88")
    install(tmp_path, "nvidia-cuda-runtime", "13.0.96")
    install(
        tmp_path, "torch", "2.13.0", "__version__ = '2.13.0'\ncuda: Optional[str] = '13.0'\nhip: Optional[str] = None\n"
    )
    facts = gather({}, root=tmp_path, packages=(str(tmp_path),))
    assert facts.cupy == (Package("cupy-cuda13x", "14.2.0", (13,)),)
    assert facts.torch == Package("torch", "2.13.0", (13, 0))
    assert (facts.nvrtc, facts.headers) == ("13.0.88", "13.0.96")


def test_builds_for_cpus_and_from_source(tmp_path: Path) -> None:
    """This environment's torch may be one for CPUs; a CuPy built from source is for the CUDA that is there."""
    install(tmp_path, "cupy", "14.2.0")
    install(tmp_path, "torch", "2.13.0+cpu", "cuda: Optional[str] = None\nhip: Optional[str] = '6.4'\n")
    facts = gather({}, root=tmp_path, packages=(str(tmp_path),))
    assert facts.cupy == (Package("cupy", "14.2.0", None),)
    assert facts.torch == Package("torch", "2.13.0+cpu", None)


def test_what_an_interrupted_installation_left_does_not_count(tmp_path: Path) -> None:
    """And of two folders the first one's library is what Python would load."""
    (tmp_path / "first/cupy_cuda13x-14.2.0.dist-info").mkdir(parents=True)
    install(tmp_path / "first", "torch", "2.13.0")
    install(tmp_path / "second", "torch", "2.12.0")
    facts = gather({}, root=tmp_path, packages=(str(tmp_path / "first"), str(tmp_path / "second")))
    assert facts.cupy == ()
    assert facts.torch == Package("torch", "2.13.0", None)


def test_a_toolkit_of_the_hosts_has_compiler_and_headers(tmp_path: Path) -> None:
    """Where CUDA_PATH says, or in /usr/local/cuda."""
    for folder in ("usr/local/cuda", "opt/cuda"):
        (tmp_path / folder / "lib64").mkdir(parents=True)
        (tmp_path / folder / "lib64/libnvrtc.so.13").touch()
    for environment, folder in (({}, "usr/local/cuda"), ({"CUDA_PATH": str(tmp_path / "opt/cuda")}, "opt/cuda")):
        facts = gather(environment, root=tmp_path, packages=())
        assert facts.nvrtc == facts.headers == str(tmp_path / folder)


def test_the_driver_is_asked_for_its_devices(host: Path, libcuda: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names, compute capabilities and memory, as CUDA lists them."""
    monkeypatch.setenv("LD_LIBRARY_PATH", str(libcuda))
    assert gather({}, root=host, packages=()).cuda == CudaFacts(
        supports=(12, 2), devices=(DeviceFacts("A", (8, 6), 8 << 30), DeviceFacts("B", (9, 6), 8 << 30))
    )


def test_a_driver_that_refuses_or_dies_takes_nobody_along(
    host: Path, libcuda: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its code is told, or how the process that asked it ended."""
    monkeypatch.setenv("LD_LIBRARY_PATH", str(libcuda))
    monkeypatch.setenv("CU_CODE", "803")
    assert gather({}, root=host, packages=()).cuda == CudaFacts(supports=(12, 2), code=803)
    monkeypatch.setenv("CU_DIE", "1")
    assert gather({}, root=host, packages=()).cuda.error == "the process that asked it ended with -6"


def test_a_library_that_is_not_there_is_an_answer() -> None:
    """The program says what the loader says."""
    asked = subprocess.run(QUESTION, capture_output=True, text=True, check=True, env={"LD_LIBRARY_PATH": "/nowhere"})
    told = json.loads(asked.stdout)
    assert "error" not in told or "libcuda.so.1" in told["error"]


def test_a_back_end_that_cannot_begin_says_why() -> None:
    """The reason and the next thing to do stand in the error of the training."""
    verdict = host_facts.availability().backends["cupy"]
    if verdict.is_usable:
        pytest.skip("this host can train on its GPU")
    error = host_facts.explained("cupy", DeviceError("it does not answer"))
    assert str(error) == f"cupy cannot train here: {verdict} (it does not answer)"
