"""Which hosts are refused before anything is changed on them."""

from pathlib import Path
from typing import Any

import pytest

from tests.unit.playbooks.plugins import plugin

FIT = plugin("filter_plugins/juniper_fit.py")
FACTS = plugin("library/juniper_facts.py")

OPEN = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release Build  (dvs-builder@U22-I3)\n"
CLOSED = (
    "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.216.01  Tue Sep 17 16:54:04 UTC 2024\nGCC version:  gcc 12\n"
)


def host(**told: Any) -> dict[str, Any]:
    """A host with a GPU that fits, but for what is told of it."""
    pythons = {"/usr/bin/python3": "3.11"}
    return {"driver": "580.65.06", "gpus": 2, "has_gpu_node": True, "pythons": pythons, "systemd": 252, **told}


@pytest.mark.parametrize(("text", "driver"), [(OPEN, "580.65.06"), (CLOSED, "535.216.01"), ("", None)])
def test_the_driver_is_read_of_either_kernel_module(text: str, driver: str | None) -> None:
    """What is none has no version."""
    assert FACTS.driver_of(text) == driver


def test_a_hosts_gpus_are_counted(tmp_path: Path) -> None:
    """By what the driver tells below /proc, and whether there is a node to open."""
    proc, dev = tmp_path / "proc", tmp_path / "dev"
    (proc / "gpus/0000:01:00.0").mkdir(parents=True)
    (proc / "version").write_text(OPEN, encoding="ascii")
    dev.mkdir()
    (dev / "nvidiactl").touch()
    facts = FACTS.facts_of(proc, dev)
    assert (facts["driver"], facts["gpus"], facts["has_gpu_node"]) == ("580.65.06", 1, True)
    assert FIT.juniper_has_gpu(facts)


def test_a_host_without_a_driver_has_none(tmp_path: Path) -> None:
    """Nothing is raised there."""
    facts = FACTS.facts_of(tmp_path / "proc", tmp_path / "dev")
    assert (facts["driver"], facts["gpus"], facts["has_gpu_node"]) == (None, 0, False)
    assert not FIT.juniper_has_gpu(facts)


def test_a_host_that_fits_lacks_nothing() -> None:
    """With a GPU or without."""
    assert FIT.juniper_host_lacks(host(), True) == []
    assert FIT.juniper_host_lacks(host(driver=None, gpus=0, has_gpu_node=False), False) == []


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ({"systemd": 249}, "systemd is 249; it takes 252 or newer"),
        ({"systemd": None}, "systemd is not there"),
        ({"pythons": {"/usr/bin/python3": "3.9"}}, "no Python 3.11 or newer (/usr/bin/python3 is 3.9)"),
        ({"driver": "535.216.01"}, "juniper_gpu is set: the driver is 535.216.01 (2 GPUs), and CUDA 13 takes 580"),
        (
            {"driver": None, "gpus": 0, "has_gpu_node": False},
            "juniper_gpu is set: no NVIDIA driver is loaded (0 GPUs, no",
        ),
    ],
)
def test_what_a_host_lacks_is_said(told: dict[str, Any], reason: str) -> None:
    """In one line that says what to do."""
    (said,) = FIT.juniper_host_lacks(host(**told), True)
    assert said.startswith(reason)


def test_a_bundle_that_does_not_fit_is_refused() -> None:
    """One for another Python, one without torch where there is a GPU; of one that is not made nothing is known."""
    bundle = {"python": "3.12", "extras": []}
    assert len(FIT.juniper_bundle_lacks(bundle, host(), True)) == 2
    assert FIT.juniper_bundle_lacks({"python": "3.11", "extras": ["gpu"]}, host(), True) == []
    assert FIT.juniper_bundle_lacks({}, host(), True) == []
