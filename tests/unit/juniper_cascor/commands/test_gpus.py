"""`gpus`: what a person and a program are told of the back ends."""

from __future__ import annotations

import json

import pytest

from juniper_cascor.commands import gpus
from juniper_cascor.engine.cuda.availability import CudaFacts, DeviceFacts, Facts, Package, judge

from .command_line import run

FACTS = Facts(
    nodes=("nvidia-uvm", "nvidia0", "nvidiactl"),
    driver="580.65.06",
    cuda=CudaFacts(supports=(13, 0), devices=(DeviceFacts("NVIDIA H100", (9, 0), 80 << 30),)),
    cupy=(Package("cupy-cuda13x", "14.2.0", (13,)),),
    torch=Package("torch", "2.13.0+cpu", None),
    nvrtc="13.0.88",
    headers="13.0.96",
)


def test_a_line_for_each_thing() -> None:
    """The driver, each device, each back end with what it brings, or why not and what to do."""
    assert gpus.as_lines(judge(FACTS)) == [
        ("driver", "580.65.06, which supports CUDA 13.0 at most"),
        ("gpu 0", "NVIDIA H100, compute capability 9.0, 80 GiB"),
        ("cupy", "usable: CuPy 14.2.0, compiling with NVRTC 13.0.88"),
        ("torch", "not usable: torch 2.13.0+cpu is a build for CPUs alone; next: juniper-ctl install --gpu"),
    ]


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_it_is_no_error_that_there_is_none(capsys: pytest.CaptureFixture[str], options: list[str]) -> None:
    """On any host both back ends are told of; a program gets the facts and the GPUs as they are now."""
    ended = run(capsys, "gpus", *options)
    assert (ended.code, ended.err) == (0, "")
    if options:
        told = json.loads(ended.out)
        assert told["backends"].keys() == {"cupy", "torch"}
        assert isinstance(told["now"], list)
    else:
        assert [line.split()[0] for line in ended.out.splitlines()][-2:] == ["cupy", "torch"]
