"""The same services for the whole host: installed by root, as a user that exists while they run."""

import json
from collections.abc import Iterator

import pytest
from testinfra.host import Host

from tests.host.booted_host import USER, BootedHost
from tests.host.conftest import JUNIPER_CTL

pytestmark = [pytest.mark.host, pytest.mark.timeout(900)]

SERVICES = ("data", "cascor", "canopy")
DATASETS = "http://127.0.0.1:8100/v1/datasets"


def as_root(machine: BootedHost, command: str) -> str:
    """What root's shell prints, with nothing of the environment of this test run."""
    clean = ("env", "-i", "HOME=/root", "LANG=C.UTF-8", "PATH=/usr/sbin:/usr/bin:/sbin:/bin")
    return machine.run_as_root(*clean, "sh", "-ec", f"cd /home/{USER}; {command}")


@pytest.fixture(scope="module")
def machine_with_services(machine: BootedHost, installed: Host) -> Iterator[BootedHost]:
    """The host's own services, installed beside the user's, which are stopped, and started."""
    installed.run(f"{JUNIPER_CTL} stop")
    as_root(machine, f"{JUNIPER_CTL} --system install")
    as_root(machine, f"{JUNIPER_CTL} --system start")
    yield machine
    as_root(machine, f"{JUNIPER_CTL} --system uninstall")


def test_all_are_ready_and_none_runs_as_root(machine_with_services: BootedHost) -> None:
    """The one command says so; each process belongs to the user `juniper` of the units."""
    told = json.loads(as_root(machine_with_services, f"{JUNIPER_CTL} --system status --json"))
    assert [service["is_ready"] for service in told["services"]] == [True, True, True]
    for service in told["services"]:
        user, capabilities = as_root(
            machine_with_services,
            f"sed -n 's/^\\(Uid\\|CapBnd\\):\\s*\\(\\w*\\).*/\\2/p' /proc/{service['pid']}/status",
        ).split()
        assert int(user) != 0
        assert int(capabilities, 16) == 0


def test_they_do_their_work(machine_with_services: BootedHost) -> None:
    """A dataset, a training, a page; what they keep lies in the host's folders, theirs alone."""
    body = json.dumps({"generator": "xor", "params": {"seed": 5}})
    assert "dataset_id" in as_root(machine_with_services, f"curl -sf {DATASETS} -d '{body}'")
    start = json.dumps({"dataset": {"generator": "xor"}, "params": {"seed": 1}})
    as_root(machine_with_services, f"curl -sf http://127.0.0.1:8200/v1/training/start -d '{start}'")
    assert "Juniper Canopy" in as_root(machine_with_services, "curl -sf http://127.0.0.1:8050/")
    listed = as_root(machine_with_services, "stat -Lc '%a %n' /var/lib/juniper/data /var/lib/juniper/cascor")
    assert listed.split() == ["700", "/var/lib/juniper/data", "700", "/var/lib/juniper/cascor"]


def test_they_are_backed_up_with_their_settings(machine_with_services: BootedHost) -> None:
    """By units that are not root: states and env files are in it, and the trial restore opens it."""
    for name in ("backup", "restore-test", "retention"):
        as_root(machine_with_services, f"systemctl start juniper-{name}.service")
    listed = json.loads(as_root(machine_with_services, f"{JUNIPER_CTL} --system backup list --json"))
    taken = listed["backups"][-1]
    assert {name: record["problems"] for name, record in taken["services"].items()} == {name: [] for name in SERVICES}
    settings = as_root(machine_with_services, f"ls {listed['folder']}/{taken['name']}/settings").split()
    assert {"juniper.env", "production.env", "data.env"} < set(settings)


def test_systemd_finds_nothing_to_say_about_the_units(machine_with_services: BootedHost) -> None:
    """As about the user's."""
    units = "juniper*.service juniper*.target juniper*.timer juniper*.slice"  # not their drop-ins' folders
    verified = as_root(machine_with_services, f"cd /etc/systemd/system; systemd-analyze verify {units} 2>&1 || :")
    assert verified == ""


def test_doctor_has_nothing_to_say_against_them(machine_with_services: BootedHost) -> None:
    """The sandbox holds there too."""
    told = json.loads(as_root(machine_with_services, f"{JUNIPER_CTL} --system doctor --json || :"))
    wrong = [
        finding["text"] for findings in told["sections"].values() for finding in findings if finding["level"] == "wrong"
    ]
    assert wrong == []


def test_uninstalled_they_leave_settings_and_data(machine_with_services: BootedHost) -> None:
    """Units, code and the command are gone."""
    as_root(machine_with_services, f"{JUNIPER_CTL} --system uninstall")
    left = as_root(
        machine_with_services,
        "ls -d /etc/systemd/system/juniper* /usr/local/lib/juniper /usr/local/bin/juniper-ctl 2>/dev/null || :",
    )
    assert left == ""
    assert as_root(machine_with_services, "ls /etc/juniper/juniper.env /var/lib/juniper")
