from pathlib import Path
from typing import Any

import pytest

from juniper_ctl.doctor.sandbox_probe import attempts
from juniper_ctl.doctor.sandbox_section import judged, look
from juniper_ctl.locations import Locations

TIGHT: dict[str, Any] = {
    "nonce": "0",
    "reached": [],
    "seen": [],
    "status": {"CapBnd": "0000000000000000", "NoNewPrivs": "1", "Seccomp": "2"},
    "devices": ["/dev/null", "/dev/urandom"],
}


def test_a_tight_sandbox_has_nothing_wrong() -> None:
    """A line for each claim."""
    assert {finding.level for finding in judged(TIGHT, [])} == {"ok"}


@pytest.mark.parametrize(
    ("facts", "leak"),
    [
        ({"reached": ["/run/user/1000/bus"]}, "it reaches /run/user/1000/bus"),
        ({"seen": ["/home/ada/.ssh"]}, "it sees /home/ada/.ssh"),
        ({"status": TIGHT["status"] | {"CapBnd": "000001ffffffffff"}}, "its capabilities are 000001ffffffffff"),
        ({"status": TIGHT["status"] | {"NoNewPrivs": "0"}}, "a set-user-ID program would give it privileges"),
        ({"status": TIGHT["status"] | {"Seccomp": "0"}}, "any system call is open to it"),
        ({"devices": ["/dev/null", "/dev/sda"]}, "it sees /dev/sda"),
    ],
)
def test_each_leak_is_told(facts: dict[str, Any], leak: str) -> None:
    """One line is wrong, and says what leaks."""
    assert [finding.text for finding in judged(TIGHT | facts, []) if finding.level == "wrong"] == [
        f"the sandbox leaks: {leak}"
    ]


def test_what_arrived_outside_is_told() -> None:
    """By the file."""
    path = attempts("0", Path("/home/ada"), Path("/code"))[0]
    (finding,) = [finding for finding in judged(TIGHT, [path]) if finding.level == "wrong"]
    assert finding.text == "the sandbox leaks: it made /home/ada/.juniper-probe-0"


@pytest.mark.usefixtures("no_systemd")
def test_without_a_manager_nothing_is_proven(home: Locations) -> None:
    """And nothing is claimed."""
    assert [finding.level for finding in look(home)] == ["unknown"]
