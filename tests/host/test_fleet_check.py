"""How many hosts are, in one table or for programs; and Juniper taken off a host."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.host.booted_host import BootedHost
from tests.host.fleet import Fleet, Played, Rollout
from tests.host.installed_host import ROOT

pytestmark = [pytest.mark.host, pytest.mark.timeout(1800)]


def as_account(host: BootedHost, command: str) -> str:
    """What a command says that is typed as the account of the services."""
    typed = f'cd; export XDG_RUNTIME_DIR=/run/user/$(id -u) PATH="$HOME/.local/bin:$PATH"; {command}'
    return host.run_as_root("runuser", "-u", "juniper", "--", "sh", "-c", f"export HOME=/home/juniper; {typed}")


def told(fleet: Fleet) -> tuple[int, dict[str, Any]]:
    """What `juniper-ctl hosts` tells programs, and its exit code, with the inventory of the last playbook."""
    command = [sys.executable, str(ROOT / "scripts/juniper-ctl"), "hosts", "--json", "-i", "hosts.json"]
    ended = subprocess.run(command, cwd=fleet.folder, capture_output=True, text=True, check=False)
    assert ended.stdout, ended.stderr
    answer: dict[str, Any] = json.loads(ended.stdout)
    return ended.returncode, answer


def cells(played: Played) -> dict[tuple[str, str], list[str]]:
    """The table's rows by host and service: release, state, and whether it is ready."""
    _, _, after = played.output.partition("HOST  SERVICE")
    rows = [line.removeprefix("    - ").split() for line in after.split("\n\n")[0].splitlines()[1:]]
    return {(words[0], words[1]): words[2:5] for words in rows}


def test_one_table_has_all_hosts_and_nothing_is_changed(rollout: Rollout) -> None:
    """A line for each service, with the release that it runs from; in check mode as well."""
    release = as_account(rollout.fleet.hosts["a"], "basename $(readlink .local/lib/juniper/current)").strip()
    for arguments in ((), ("--check",)):
        played = rollout.fleet.play("check.yml", *arguments).require()
        ready = [release, "active", "ready"]
        assert cells(played) == {("a", "data"): ready, ("a", "canopy"): ready, ("b", "cascor"): ready}
        assert {host: counts["changed"] for host, counts in played.recap.items()} == {"a": 0, "b": 0}


def test_programs_learn_the_disk_and_the_last_backup_of_each_service(rollout: Rollout) -> None:
    """Which was taken just now on one host, and never on the other one."""
    as_account(rollout.fleet.hosts["a"], "juniper-ctl backup")
    rollout.fleet.play("check.yml").require()
    code, document = told(rollout.fleet)
    assert (code, document["verdict"]) == (0, "ok")
    services = {(host["host"], each["service"]): each for host in document["hosts"] for each in host["services"]}
    assert all(0 < each["disk_free_bytes"] < each["disk_total_bytes"] for each in services.values())
    assert services["a", "data"]["backup_age_s"] < 1800
    assert services["b", "cascor"]["backup_age_s"] is None


def test_hosts_that_are_away_or_bare_have_their_lines(rollout: Rollout) -> None:
    """The table comes all the same: of one nothing is known, and of the other one that nothing is there."""
    more: dict[str, dict[str, Any]] = {"a": {"juniper_account": "nobody_of_juniper"}, "b": {"ansible_port": 1}}
    played = rollout.fleet.play("check.yml", more=more)
    rows = cells(played)
    assert rows["a", "data"][1:3] == rows["a", "canopy"][1:3] == ["not", "installed"]
    assert rows["b", "-"][1] == "unreachable"
    code, document = told(rollout.fleet)
    assert (code, [host["is_reached"] for host in document["hosts"]]) == (1, [True, False])


def test_a_service_that_failed_is_told_with_the_reason(rollout: Rollout) -> None:
    """And hides nothing of the others."""
    trainer = rollout.fleet.hosts["b"]
    as_account(trainer, "echo JUNIPER_CASCOR_LOG_LEVEL=SHOUT >>.config/juniper/cascor.env")
    as_account(trainer, "systemctl --user restart juniper-cascor || true")
    try:
        rows = cells(rollout.fleet.play("check.yml").require())
        code, document = told(rollout.fleet)
    finally:
        as_account(trainer, "sed -i /SHOUT/d .config/juniper/cascor.env; systemctl --user reset-failed juniper-cascor")
        as_account(trainer, "juniper-ctl start cascor")
    assert (rows["b", "cascor"][1:], rows["a", "data"][1:]) == (["failed", "away"], ["active", "ready"])
    (service,) = document["hosts"][1]["services"]
    assert code == 1
    assert "systemd has it failed" in service["why"]


@dataclass(frozen=True, slots=True)
class Uninstalled:
    """What came of uninstall.yml on host b, and what was found there after each step."""

    refused: tuple[Played, Played]
    """Without being meant, and the account without its data."""
    checked: Played
    still_there: str
    first: Played
    stayed: str
    second: Played
    whole: Played
    gone: str
    third: Played


FOUND = (
    "ls -d .local/lib/juniper .config/juniper/cascor.env .config/systemd/user/juniper-cascor.service 2>/dev/null; true"
)


@pytest.fixture(scope="module")
def uninstalled(rollout: Rollout) -> Iterator[Uninstalled]:
    """Host b step by step without Juniper; all of it is there again afterwards."""
    fleet, trainer = rollout.fleet, rollout.fleet.hosts["b"]
    off = ("uninstall.yml", "--limit", "b")
    all_of_it = ("-e", "juniper_remove_data=true", "-e", "juniper_remove_account=true", "-e", "juniper_really=yes")
    yield Uninstalled(
        refused=(fleet.play(*off, *all_of_it[:4]), fleet.play(*off, *all_of_it[2:])),
        checked=fleet.play(*off, "--check", *all_of_it),
        still_there=as_account(trainer, FOUND),
        first=fleet.play(*off),
        stayed=as_account(trainer, FOUND),
        second=fleet.play(*off),
        whole=fleet.play(*off, *all_of_it),
        gone=trainer.run_as_root(
            "sh", "-c", "getent passwd juniper; ls -d /home/juniper /var/lib/systemd/linger/juniper 2>&1; true"
        ),
        third=fleet.play(*off, *all_of_it),
    )
    fleet.play("site.yml").require()


def test_data_goes_only_where_that_is_meant(uninstalled: Uninstalled) -> None:
    """What is missing is named, and nothing is changed."""
    not_meant, account_alone = uninstalled.refused
    assert "set juniper_really=yes" in " ".join(not_meant.output.split())
    assert "so set juniper_remove_data too" in " ".join(account_alone.output.split())
    for refused in uninstalled.refused:
        assert refused.code != 0
        assert refused.recap["b"]["changed"] == 0


def test_check_mode_tells_what_would_go(uninstalled: Uninstalled) -> None:
    """And takes nothing."""
    uninstalled.checked.require()
    assert uninstalled.checked.recap["b"]["changed"] > 3
    assert len(uninstalled.still_there.split()) == 3


def test_services_and_code_go_and_settings_stay(uninstalled: Uninstalled) -> None:
    """With one command; a second one finds nothing to do."""
    uninstalled.first.require()
    assert uninstalled.stayed.split() == [".config/juniper/cascor.env"]
    assert uninstalled.second.require().recap["b"]["changed"] == 0


def test_with_the_account_everything_is_gone(uninstalled: Uninstalled) -> None:
    """The bare host that is left is no failure, in check.yml neither."""
    uninstalled.whole.require()
    assert "/home/juniper:" not in uninstalled.gone
    assert uninstalled.gone.count("No such file") == 2
    assert uninstalled.third.require().recap["b"]["changed"] == 0
