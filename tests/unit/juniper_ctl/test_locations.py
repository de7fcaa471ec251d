from pathlib import Path

from juniper_ctl import scope
from juniper_ctl.locations import Locations
from tests.unit.juniper_ctl.fake_systemd import FakeSystemd


def test_what_a_unit_keeps_is_found_on_older_systemds_too(home: Locations, systemd: FakeSystemd) -> None:
    """Before 254 it is below ~/.config, also where a demo in the foreground has made the newer folder."""
    assert home.state_of("data") == home.state / "data"
    (home.configuration / "data").mkdir(parents=True)
    assert home.state_of("data") == home.configuration / "data"
    (home.state / "data").mkdir(parents=True)
    assert home.state_of("data") == home.configuration / "data"
    systemd.become("254.1-2")
    assert home.state_of("data") == home.state / "data"


def test_the_hosts_own_services_have_their_folders_elsewhere() -> None:
    """Nothing of them lies in a home."""
    before = scope.chosen()
    scope.choose("system")
    try:
        assert Locations.of({"HOME": "/home/ada"}).state_of("data").as_posix() == "/var/lib/juniper/data"
    finally:
        scope.choose(before)


def test_a_unit_of_the_host_reads_the_env_files_that_systemd_hands_over() -> None:
    """Those in /etc/juniper are root's alone."""
    scope.choose("system")
    try:
        assert Locations.of({"CREDENTIALS_DIRECTORY": "/run/credentials/x"}).configuration == Path("/run/credentials/x")
        assert Locations.of({}).configuration == Path("/etc/juniper")
    finally:
        scope.choose("user")
    assert Locations.of({"HOME": "/h", "CREDENTIALS_DIRECTORY": "/c"}).configuration == Path("/h/.config/juniper")
