"""Installing on a host without a registry."""

import pytest
from testinfra.host import Host

from tests.host.conftest import JUNIPER_CTL

pytestmark = [pytest.mark.host, pytest.mark.timeout(900)]

EVERYTHING = "find .local .config .cache -printf '%p %i %m %s %T@ %l\n' 2>/dev/null | sort"
"""Path, inode, mode, size, time and target of each file: rewriting one changes a line."""


def test_a_bundle_installs_a_release_that_the_link_names(installed: Host) -> None:
    """The units' programs are there, behind the link `current`."""
    current = installed.check_output("readlink .local/lib/juniper/current")
    assert current.startswith("releases/0.")
    for service in ("data", "cascor", "canopy"):
        assert installed.file(f"/home/juniper/.local/lib/juniper/{current}/bin/juniper-{service}").is_file


def test_installing_twice_changes_nothing(installed: Host) -> None:
    """The second installation says so, and no file below the home differs in anything."""
    before = installed.check_output(EVERYTHING)
    second = installed.run(f"{JUNIPER_CTL} install")
    assert second.rc == 0
    assert "nothing changed" in second.stdout
    assert installed.check_output(EVERYTHING) == before


def test_secrets_and_settings_are_the_users_alone(installed: Host) -> None:
    """Credential files exist, since a unit with a missing one does not start, and only their owner reads them."""
    listed = installed.check_output("stat -c '%a %s %n' .config/juniper/credentials/*").splitlines()
    assert {line.split()[0] for line in listed} == {"600"}
    assert {line.split()[1] for line in listed} == {"0"}
    assert installed.file("/home/juniper/.config/juniper/credentials").mode == 0o700


def test_systemd_finds_nothing_to_say_about_the_units(installed: Host) -> None:
    """`systemd-analyze verify` exits 0 on a misspelt directive too: it must print nothing."""
    verified = installed.run("systemd-analyze --user verify .config/systemd/user/*.{service,target,timer,slice}")
    assert (verified.rc, verified.stdout, verified.stderr) == (0, "", "")


def test_a_container_takes_no_host_only_drop_in(installed: Host) -> None:
    """With `ProtectKernelLogs=` every unit would end with 226 in this host, which is a container."""
    assert "host-only" not in installed.check_output("ls .config/systemd/user/juniper-.service.d")


def test_the_installed_command_runs_without_the_bundle(installed: Host) -> None:
    """`~/.local/bin/juniper-ctl` leads into the release."""
    current = installed.check_output("readlink .local/lib/juniper/current").removeprefix("releases/")
    assert installed.check_output(".local/bin/juniper-ctl version").startswith(current)
