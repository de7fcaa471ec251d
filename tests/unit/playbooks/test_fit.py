"""Which hosts are refused before anything is changed on them."""

import socket
from pathlib import Path
from types import SimpleNamespace
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
    gpu = {"driver": "580.65.06", "gpus": 2, "has_gpu_node": True}
    here = {"addresses": {}, "links": [], "platform": "linux-x86_64", "pythons": pythons, "systemd": 252}
    return {**gpu, **here, **told}


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
        ({"addresses": {"10.0.0.9": "no interface of the host has it"}}, "it cannot listen on 10.0.0.9: no interface"),
        ({"links": ["/home/juniper/.config"]}, "/home/juniper/.config is a link, and root would write where it leads"),
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
    """For another Python or processor, or without torch where there is a GPU; of one not made nothing is known."""
    bundle = {"python": "3.12", "platform": "linux-aarch64", "extras": []}
    assert len(FIT.juniper_bundle_lacks(bundle, host(), True)) == 3
    fitting = {"python": "3.11", "platform": "linux-x86_64", "extras": ["gpu"]}
    assert FIT.juniper_bundle_lacks(fitting, host(), True) == []
    assert FIT.juniper_bundle_lacks({}, host(), True) == []


def test_the_python_that_the_inventory_names_has_to_be_there_and_new_enough() -> None:
    """Another one that would do is not what was asked for."""
    own = "/opt/py/bin/python3"
    for pythons, said in (({}, "none"), ({own: "3.10"}, "3.10")):
        (fault,) = FIT.juniper_host_lacks(host(pythons={"/usr/bin/python3": "3.11", **pythons}), False, own)
        assert fault == f"juniper_python={own} is {said}; it takes Python 3.11 or newer"
    there = host(pythons={"/usr/bin/python3": "3.9", own: "3.12"})
    assert FIT.juniper_host_lacks(there, False, own) == []
    bundle = {"python": "3.9", "platform": "linux-x86_64", "extras": []}
    assert FIT.juniper_bundle_lacks(bundle, there, False, own) != []


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "localhost"])
def test_an_address_of_the_host_is_one_to_listen_on(address: str) -> None:
    """The loopback too, where it is meant."""
    assert FACTS.why_not_here(address) is None


@pytest.mark.parametrize(
    ("address", "reason"), [("192.0.2.1", "no interface of the host has it"), ("no.invalid", "it is not found here")]
)
def test_an_address_that_the_host_has_not_is_told(address: str, reason: str) -> None:
    """Of documentation, and of nobody."""
    assert FACTS.why_not_here(address).startswith(reason)


def test_a_name_that_is_the_loopback_on_the_host_itself_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """As Debian's installer writes it into /etc/hosts: nobody else would reach the service."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.1.1", 0))]
    monkeypatch.setattr(FACTS.socket, "getaddrinfo", lambda *_, **__: found)
    assert FACTS.why_not_here("front") == "it is 127.0.1.1 here"


def test_a_folder_of_the_account_that_is_a_link_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of an account that there is not yet, there is nothing to tell."""
    (tmp_path / ".config").symlink_to("/etc")
    monkeypatch.setattr(FACTS.pwd, "getpwnam", lambda _: SimpleNamespace(pw_dir=str(tmp_path)))
    assert FACTS.links_of("juniper") == [str(tmp_path / ".config")]
    monkeypatch.undo()
    assert FACTS.links_of("nobody-of-this-name") == []
