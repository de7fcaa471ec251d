"""What Ansible learns of a host from its own `juniper-ctl`, and what it makes of all hosts."""

import json
import os
import pwd
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.unit.playbooks.plugins import plugin

STATE = plugin("library/juniper_state.py")
HOSTS = plugin("filter_plugins/juniper_hosts.py")

NOW = 1_000_000.0
GPU = {"index": 0, "name": "NVIDIA H100", "memory_used": 1, "memory_total": 2}
ANSWERS: dict[str, dict[str, Any]] = {
    "status": {
        "services": [
            {"service": "data", "state": "active", "detail": "running", "is_ready": True, "version": "1+a"},
            {"service": "cascor", "state": "failed", "detail": "failed", "is_ready": False, "version": "1+b"},
        ]
    },
    "health": {
        "services": [
            {"service": "data", "status": "ready", "why": ""},
            {"service": "cascor", "status": "away", "why": "nobody listens"},
        ]
    },
    "resources": {
        "gpus": {"devices": [GPU]},
        "machine": {"disks": [{"services": ["data"], "free_bytes": 40, "total_bytes": 100}]},
    },
    "backup": {
        "backups": [
            {"name": "first", "services": {"data": {"as_of": NOW - 7200}, "cascor": {"as_of": NOW - 7200}}},
            {"name": "second", "services": {"data": {"as_of": NOW - 3600}}},
            {"name": "third", "error": "its manifest is cut off"},
        ]
    },
}
NOTHING = {"is_installed": False, "errors": [], "gpus": [], "services": []}


class Account:
    """Whoever runs the tests, with a home of its own and a `juniper-ctl` there that answers as it is told."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def install(self, answers: dict[str, dict[str, Any]], says: str = "") -> None:
        """Put it where a release has it."""
        program = self.home / ".local/lib/juniper/current/bin/juniper-ctl"
        program.parent.mkdir(parents=True)
        lines = (
            f"#!{os.path.realpath(sys.executable)} -S",
            "import json, sys",
            f"answers = json.loads({json.dumps(answers)!r})",
            "assert sys.argv[-1] == '--json'",
            f"print({says!r} or json.dumps(answers[sys.argv[1]]))",
            "sys.exit(1 if 'error' in answers[sys.argv[1]] else 0)",
        )
        program.write_text("\n".join(lines), encoding="utf-8")
        program.chmod(0o755)

    def state(self) -> dict[str, Any]:
        """What the module tells."""
        own = pwd.getpwuid(os.getuid())
        account = pwd.struct_passwd((*own[:5], str(self.home), own.pw_shell))
        told: dict[str, Any] = STATE.state_of(self.home, STATE.asking(account), NOW)
        return told


@pytest.fixture
def account(tmp_path: Path) -> Account:
    """With nothing installed."""
    return Account(tmp_path)


def test_a_host_with_nothing_on_it_is_not_installed(account: Account) -> None:
    """That is an answer, and no failure."""
    assert account.state() == NOTHING


def test_each_service_has_its_state_its_health_its_disk_and_its_newest_backup(account: Account) -> None:
    """From four commands; what one of them does not know of a service is not there."""
    account.install(ANSWERS)
    told = account.state()
    assert (told["is_installed"], told["errors"], told["gpus"]) == (True, [], [GPU])
    assert told["services"] == [
        {
            "service": "data",
            "release": "1+a",
            "state": "active",
            "detail": "running",
            "health": "ready",
            "why": "",
            "is_ready": True,
            "disk_free_bytes": 40,
            "disk_total_bytes": 100,
            "backup_age_s": 3600.0,
        },
        {
            "service": "cascor",
            "release": "1+b",
            "state": "failed",
            "detail": "failed",
            "health": "away",
            "why": "nobody listens",
            "is_ready": False,
            "disk_free_bytes": None,
            "disk_total_bytes": None,
            "backup_age_s": 7200.0,
        },
    ]


def test_what_one_command_cannot_tell_does_not_hide_the_rest(account: Account) -> None:
    """Several that fail alike have one reason."""
    no_bus = {"verdict": "no_bus", "error": "no systemd user manager answers", "next": "loginctl enable-linger"}
    account.install({**ANSWERS, "status": no_bus, "health": no_bus})
    told = account.state()
    assert (told["errors"], told["services"], told["gpus"]) == (["no systemd user manager answers"], [], [GPU])


def test_a_program_that_answers_in_no_words_of_json_is_an_error(account: Account) -> None:
    """As one that is damaged does."""
    account.install(ANSWERS, says="Traceback")
    (error,) = account.state()["errors"]
    assert error.endswith("juniper-ctl ended with 0 and said nothing")


def hosts(**asked: Any) -> Any:
    """What the filter makes of results, by the names of their hosts; each of which is to have data and canopy."""
    return HOSTS.juniper_hosts(asked, {name: ["canopy", "data", "rack_1"] for name in asked})


def test_a_service_that_the_inventory_wants_and_the_host_has_not_is_a_line_too() -> None:
    """In the order of their start; a bare host has all of them."""
    service = {"service": "canopy", "state": "active"}
    some, bare = hosts(
        some={"state": {"is_installed": True, "errors": [], "gpus": [], "services": [service]}}, bare={"state": NOTHING}
    )
    assert [(each["service"], each["state"]) for each in some["services"]] == [
        ("data", "not installed"),
        ("canopy", "active"),
    ]
    assert [each["state"] for each in bare["services"]] == ["not installed"] * 2
    assert (some["is_installed"], bare["is_installed"]) == (True, False)


@pytest.mark.parametrize(("is_unreachable", "message"), [(True, "No route\nto host"), (False, "Missing password")])
def test_a_host_that_says_nothing_has_the_reason(is_unreachable: bool, message: str) -> None:
    """Nothing is known of its services, not that they are not there."""
    (host,) = hosts(away={"unreachable": is_unreachable, "failed": True, "msg": message})
    assert (host["is_reached"], host["is_installed"], host["services"]) == (not is_unreachable, None, [])
    assert host["errors"] == [message.partition("\n")[0]]


def test_of_a_host_that_could_not_tell_of_its_services_none_is_said_to_be_missing() -> None:
    """Without systemd nobody knows."""
    (host,) = hosts(some={"state": {"is_installed": True, "errors": ["no bus"], "gpus": [], "services": []}})
    assert (host["services"], host["errors"]) == ([], ["no bus"])
