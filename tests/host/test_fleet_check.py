"""How many hosts are, in one table or for programs."""

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.host.fleet import Fleet, Played, Rollout, as_account
from tests.host.installed_host import ROOT

pytestmark = [pytest.mark.host, pytest.mark.timeout(1800)]


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
