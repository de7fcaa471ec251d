"""The host's own units are made from the user's."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from juniper_ctl import scope, unit_files
from juniper_ctl.locations import Locations

ROOT = Path(__file__).parents[3]


@pytest.fixture
def host() -> Iterator[Locations]:
    """The folders of the whole host."""
    scope.choose("system")
    yield Locations.of({})
    scope.choose("user")


def test_the_hosts_units_name_nothing_in_a_home(host: Locations) -> None:
    """Each program, setting and secret has its place in the host's folders."""
    files = unit_files.wanted(ROOT, host)
    left = {
        line for text in files.values() for line in text.splitlines() if "%h/." in line and not line.startswith("#")
    }
    assert left == set()
    assert "ExecStart=/usr/local/lib/juniper/current/bin/juniper-data\n" in files["juniper-data.service"]
    loaded = re.findall(r"^LoadCredential=\S+:(\S+)/", "\n".join(files.values()), re.M)
    assert set(loaded) == {"/etc/juniper", "/etc/juniper/credentials"}


def test_the_hosts_units_are_the_users_and_their_additions(host: Locations) -> None:
    """No service is left out, and none runs as root."""
    here, there = unit_files.wanted(ROOT, host), ROOT / "systemd/user"
    assert {path.name for path in there.glob("*.*") if path.is_file()} <= set(here)
    assert "DynamicUser=yes" in here["juniper-.service.d/05-system.conf"]
