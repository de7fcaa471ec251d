"""What is made of facts: why a back end cannot be used, and what to do next."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from juniper_cascor.engine.cuda.availability import CudaFacts, DeviceFacts, Facts, Package, judge

H100 = DeviceFacts("NVIDIA H100", (9, 0), 80 << 30)
CUPY = Package("cupy-cuda13x", "14.2.0", (13,))
TORCH = Package("torch", "2.13.0", (13, 0))
CUDA = CudaFacts(supports=(13, 0), devices=(H100,))
WHOLE = Facts(
    pci_gpus=1,
    nodes=("nvidia-uvm", "nvidia0", "nvidiactl"),
    driver="580.65.06",
    cuda=CUDA,
    cupy=(CUPY,),
    torch=TORCH,
    nvrtc="13.0.88",
    headers="13.0.96",
)


def test_a_whole_host_can_use_both() -> None:
    """Nothing speaks against either back end."""
    found = judge(WHOLE)
    assert found.device.is_usable
    assert [verdict.is_usable for verdict in found.backends.values()] == [True, True]


@pytest.mark.parametrize(
    ("facts", "reason", "next_step"),
    [
        (Facts(), "there is no NVIDIA GPU", ""),
        (Facts(pci_gpus=1), "no /dev/nvidiactl: no NVIDIA driver is loaded", "apt-get install nvidia-driver"),
        (replace(WHOLE, nodes=()), "the driver is loaded, but there is no /dev/nvidiactl", "nvidia-modprobe -c=0"),
        (replace(WHOLE, nodes=("nvidiactl",)), "there is no GPU's node below /dev", "nvidia-modprobe -c=0"),
        (replace(WHOLE, nodes=("nvidia0", "nvidiactl")), "/dev/nvidia-uvm is missing", "nvidia-modprobe -u -c=0"),
        (replace(WHOLE, closed_nodes=("nvidia0",)), "/dev/nvidia0 may not be opened by this user", "usermod -aG"),
        (replace(WHOLE, cuda=CudaFacts(error="libcuda.so.1: no")), "does not answer: libcuda.so.1: no", "libcuda1"),
        (replace(WHOLE, cuda=replace(CUDA, code=803)), r"the kernel module \(580.65.06\) and", "sudo reboot"),
        (replace(WHOLE, cuda=replace(CUDA, code=802)), "fabric is not ready", "nvidia-fabricmanager"),
        (replace(WHOLE, cuda=replace(CUDA, code=999)), r"CUDA does not begin \(error 999\)", "dmesg"),
        (replace(WHOLE, cuda=replace(CUDA, code=100)), r"CUDA does not begin \(error 100\)", "dmesg"),
        (replace(WHOLE, cuda=replace(CUDA, devices=())), "CUDA lists no device", "dmesg"),
        (
            replace(WHOLE, cuda=replace(CUDA, code=100), visible_devices="7"),
            "CUDA_VISIBLE_DEVICES=7 hides every GPU",
            "unset it",
        ),
        (replace(WHOLE, cuda=replace(CUDA, code=100), visible_devices=""), "CUDA_VISIBLE_DEVICES is empty", ""),
        (
            replace(WHOLE, cuda=replace(CUDA, devices=(DeviceFacts("GTX 1080", (6, 1), 8 << 30),))),
            "the compute capability of GTX 1080 is 6.1, below 8.0",
            "",
        ),
    ],
)
def test_without_a_device_neither_can_be_used(facts: Facts, reason: str, next_step: str) -> None:
    """Both say the same; where nothing can be done there is no next step."""
    found = judge(facts)
    assert found.backends == {"cupy": found.device, "torch": found.device}
    assert re.search(reason, found.device.reason)
    assert next_step in found.device.next_step
    assert bool(next_step) == bool(found.device.next_step)


@pytest.mark.parametrize(
    ("changed", "reason", "next_step"),
    [
        ({"cupy": ()}, "CuPy is not installed", "juniper-ctl install --gpu"),
        (
            {"cupy": (Package("cupy-cuda12x", "14.2.0", (12,)), CUPY)},
            "cupy-cuda12x and cupy-cuda13x are both installed, and spoil each other",
            "pip uninstall cupy-cuda12x and cupy-cuda13x; juniper-ctl install --gpu",
        ),
        (
            {"driver": "535.183.01", "cuda": replace(CUDA, supports=(12, 2))},
            "CuPy 14.2.0 was built for CUDA 13, and the driver (535.183.01) supports 12.2 at most",
            "install driver 580 or newer, or cupy-cuda12x in the place of cupy-cuda13x",
        ),
        ({"nvrtc": None}, "CuPy finds no NVRTC, and compiles nothing without", "juniper-ctl install --gpu"),
        ({"headers": None}, "CuPy finds no CUDA headers, and compiles nothing without", "juniper-ctl install --gpu"),
    ],
)
def test_what_cupy_lacks(changed: dict[str, object], reason: str, next_step: str) -> None:
    """Its own wheel, a driver that is new enough, and what it compiles with."""
    verdict = judge(replace(WHOLE, **changed)).backends["cupy"]  # type: ignore[arg-type]
    assert (verdict.reason, verdict.next_step) == (reason, next_step)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"torch": None}, "torch is not installed; next: juniper-ctl install --gpu"),
        (
            {"torch": Package("torch", "2.13.0+cpu", None)},
            "torch 2.13.0+cpu is a build for CPUs alone; next: juniper-ctl install --gpu",
        ),
        (
            {"driver": "535.183.01", "cuda": replace(CUDA, supports=(12, 2))},
            "torch 2.13.0 was built for CUDA 13.0, and the driver (535.183.01) supports 12.2 at most;"
            " next: install driver 580 or newer",
        ),
        (
            {"cupy": ()},
            "its kernels are launched by CuPy: CuPy is not installed; next: juniper-ctl install --gpu",
        ),
    ],
)
def test_what_torch_lacks(changed: dict[str, object], said: str) -> None:
    """A build for CUDA, a driver that is new enough, and what CuPy needs."""
    assert str(judge(replace(WHOLE, **changed)).backends["torch"]) == said  # type: ignore[arg-type]


def test_an_older_driver_runs_a_newer_minor_version() -> None:
    """What was built for 13.1 runs with a driver that supports 13.0."""
    facts = replace(WHOLE, torch=Package("torch", "2.14.0", (13, 1)))
    assert judge(facts).backends["torch"].is_usable


@pytest.mark.parametrize(
    ("facts", "has_gpu", "is_expected"),
    [
        (Facts(), False, False),
        (Facts(pci_gpus=1), True, False),
        (Facts(cupy=(CUPY,)), False, False),
        (WHOLE, True, True),
    ],
)
def test_a_gpu_that_nobody_set_up_is_expected_to_do_nothing(facts: Facts, has_gpu: bool, is_expected: bool) -> None:
    """A card that only drives a screen has no driver of NVIDIA's; a developer's CuPy needs no GPU."""
    told = judge(facts).as_json()
    assert (told["has_gpu"], told["is_expected"]) == (has_gpu, is_expected)
