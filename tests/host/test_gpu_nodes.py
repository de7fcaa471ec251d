"""Which of the host's device nodes the training service sees. Here none is a GPU: each is /dev/null by another name."""

import json
from collections.abc import Iterator

import pytest
from testinfra.host import Host

from tests.host.booted_host import BootedHost
from tests.host.conftest import JUNIPER_CTL

pytestmark = [pytest.mark.host, pytest.mark.timeout(900)]

_MAKE = 'for node; do touch "/dev/$node" && mount --bind /dev/null "/dev/$node"; done'
_REMOVE = 'for node in /dev/nvidia*; do umount "$node"; rm "$node"; done'


def make(machine: BootedHost, *nodes: str) -> None:
    """Have these below /dev."""
    machine.run_as_root("sh", "-ec", _MAKE, "-", *nodes)


@pytest.fixture
def nodes(machine: BootedHost, installed: Host) -> Iterator[None]:
    """A driver's door and two GPUs, one of them beyond what the unit names."""
    make(machine, "nvidiactl", "nvidia0", "nvidia16")
    yield
    installed.run(f"{JUNIPER_CTL} stop")
    machine.run_as_root("sh", "-ec", _REMOVE)


def told(host: Host) -> list[str]:
    """What doctor says of the unit."""
    ended = host.run(f"{JUNIPER_CTL} doctor gpu --json")
    findings = json.loads(ended.stdout)["sections"]["gpu"]
    return [finding["text"] for finding in findings if "juniper-cascor.service" in finding["text"]]


@pytest.mark.usefixtures("nodes")
def test_doctor_names_what_the_training_service_does_not_see(machine: BootedHost, installed: Host) -> None:
    """A node that the unit does not bind, and one that came after the start until the next; it sees the others."""
    hidden = "/dev/nvidia16 is hidden from juniper-cascor.service"
    assert installed.run(f"{JUNIPER_CTL} start cascor").rc == 0
    assert told(installed) == [hidden]
    make(machine, "nvidia-uvm")
    assert told(installed) == [hidden, "juniper-cascor.service was started before there was /dev/nvidia-uvm"]
    assert installed.run(f"{JUNIPER_CTL} restart cascor").rc == 0
    assert told(installed) == [hidden]
