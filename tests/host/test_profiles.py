"""The profiles on a real systemd: each has its target, its env file, and what production refuses."""

import json
from collections.abc import Iterator

import pytest
from testinfra.host import Host

from tests.host.conftest import JUNIPER_CTL
from tests.host.user_units import value

pytestmark = [pytest.mark.host, pytest.mark.timeout(900)]


@pytest.fixture
def stopped(installed: Host) -> Iterator[Host]:
    """The host with nothing running, before and after."""
    installed.run(f"{JUNIPER_CTL} stop")
    yield installed
    installed.run(f"{JUNIPER_CTL} stop; systemctl --user reset-failed; truncate --size=0 .config/juniper/data.env")


def profile_of(host: Host, service: str) -> str:
    """What the running process was told."""
    pid = value(host, f"juniper-{service}.service", "MainPID")
    lines = host.check_output("tr '\\0' '\\n' </proc/%s/environ", pid).splitlines()
    return next(str(line) for line in lines if line.startswith("JUNIPER_ENV="))


def test_dev_runs_until_another_profile_is_asked_for(stopped: Host) -> None:
    """A restart stays in it, and one command changes all three to production."""
    started = stopped.run(f"JUNIPER_ENV=dev {JUNIPER_CTL} start")
    assert started.rc == 0, started.stderr
    assert value(stopped, "juniper-dev.target", "ActiveState") == "active"
    assert stopped.run(f"{JUNIPER_CTL} restart").rc == 0
    assert {profile_of(stopped, name) for name in ("data", "cascor", "canopy")} == {"JUNIPER_ENV=dev"}
    assert value(stopped, "juniper-dev.target", "ActiveState") == "active"

    changed = stopped.run(f"JUNIPER_ENV=production {JUNIPER_CTL} restart")
    assert changed.rc == 0, changed.stderr
    assert value(stopped, "juniper-dev.target", "ActiveState") == "inactive"
    assert value(stopped, "juniper.target", "ActiveState") == "active"
    assert {profile_of(stopped, name) for name in ("data", "cascor", "canopy")} == {"JUNIPER_ENV=production"}


def test_production_does_not_listen_to_others_without_keys(stopped: Host) -> None:
    """The start says 78, the check says where the line stands, and both what to set."""
    stopped.check_output("echo JUNIPER_DATA_HOST=0.0.0.0 >.config/juniper/data.env")
    started = stopped.run(f"{JUNIPER_CTL} start data")
    assert started.rc == 78
    checked = stopped.run(f"{JUNIPER_CTL} env check --json")
    assert checked.rc == 78
    (fault,) = [each for each in json.loads(checked.stdout)["faults"] if each["level"] == "wrong"]
    assert (fault["file"], fault["line"], fault["name"]) == ("data.env", 1, "JUNIPER_DATA_HOST")
    assert "juniper-ctl credentials rotate juniper_data_api_keys" in fault["reason"]
