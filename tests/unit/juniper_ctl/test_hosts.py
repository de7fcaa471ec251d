"""`juniper-ctl hosts`, with a stand-in for Ansible."""

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from juniper_ctl.checkout import Checkout
from juniper_ctl.errors import Exit
from juniper_ctl.main import main

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = """#!{python} -S
import json, os, pathlib, sys
folder = pathlib.Path({folder!r})
(folder / "called").write_text(json.dumps([os.getcwd(), sys.argv[1:]]))
document = (folder / "document").read_text()
if not document:
    sys.exit("[ERROR]: no inventory was parsed")
pathlib.Path(json.loads(sys.argv[-1])["juniper_check_file"]).write_text(document)
"""


@dataclass
class FakeAnsible:
    """A program `ansible-playbook` whose check.yml finds what a test says, and that notes how it was called."""

    folder: Path

    def finds(self, *hosts: dict[str, Any]) -> None:
        """These hosts."""
        (self.folder / "document").write_text(json.dumps({"hosts": hosts}), encoding="utf-8")

    def called(self) -> tuple[str, list[str]]:
        """In which folder, and with which words but the last two."""
        folder, words = json.loads((self.folder / "called").read_text(encoding="utf-8"))
        return folder, words[:-2]


@pytest.fixture
def ansible(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeAnsible:
    """It finds no host at first."""
    fake = FakeAnsible(tmp_path)
    program = tmp_path / "bin/ansible-playbook"
    program.parent.mkdir()
    program.write_text(PROGRAM.format(python=os.path.realpath(sys.executable), folder=str(tmp_path)), encoding="utf-8")
    program.chmod(0o755)
    (tmp_path / "document").touch()
    monkeypatch.setenv("PATH", str(program.parent))
    return fake


def service(name: str, **told: Any) -> dict[str, Any]:
    """One that is ready, but for what is told of it."""
    ready = {"release": "1+a", "state": "active", "detail": "running", "health": "ready", "why": "", "is_ready": True}
    measured = {"disk_free_bytes": 40 * 2**30, "disk_total_bytes": 100 * 2**30, "backup_age_s": 7200.0}
    return {"service": name, **ready, **measured, **told}


def host(name: str, *services: dict[str, Any], **told: Any) -> dict[str, Any]:
    """One with these services."""
    return {
        "host": name,
        "is_reached": True,
        "is_installed": True,
        "errors": [],
        "gpus": [],
        "services": services,
        **told,
    }


FAILED = {"state": "failed", "detail": "failed", "is_ready": False, "health": "away", "why": "nobody listens"}
STOPPED = {"state": "inactive", "detail": "dead", "is_ready": False, "health": "stopped"}
MISSING = {"state": "not installed", "detail": "", "is_ready": False, "release": "-", "disk_free_bytes": None}
AWAY = {"is_reached": False, "is_installed": None, "errors": ["No route to host"]}


def gpu(index: int) -> dict[str, Any]:
    """As `juniper-ctl resources` has it."""
    figures = ("memory_used", "memory_total", "utilisation_percent", "temperature_c", "power_w")
    return {"index": index, "name": "H100", **dict.fromkeys(figures)}


def test_the_table_has_a_line_for_each_service_of_each_host(
    ansible: FakeAnsible, capsys: pytest.CaptureFixture[str]
) -> None:
    """And says below what is wrong, and what to type."""
    ansible.finds(
        host("front", service("data"), service("canopy", backup_age_s=None)),
        host("trainer", service("cascor", **FAILED), gpus=[gpu(0), gpu(1)]),
        host("bare", service("data", **MISSING), is_installed=False),
        host("away", **AWAY),
    )
    assert main(["hosts"]) == Exit.FAILED
    assert capsys.readouterr().out.splitlines() == [
        "HOST     SERVICE  RELEASE  STATE          READY  GPU       DISK                     BACKUP",
        "front    data     1+a      active         ready  -         40 GiB free of 100 GiB  2 h ago",
        "front    canopy   1+a      active         ready  -         40 GiB free of 100 GiB     none",
        "trainer  cascor   1+a      failed         away   2 x H100  40 GiB free of 100 GiB  2 h ago",
        "bare     data     -        not installed  -      -         -                             -",
        "away     -        -        unreachable    -      -         -                             -",
        "trainer cascor: nobody listens",
        "away: No route to host",
        "next: on trainer: juniper-ctl logs cascor",
    ]


@pytest.mark.parametrize(
    ("second", "verdict", "next_command"),
    [
        (host("b", service("data")), Exit.OK, None),
        (host("b", service("data", **STOPPED), service("canopy", **STOPPED)), Exit.DEGRADED, "start data canopy"),
        (host("b", service("data", **STOPPED), service("canopy", is_ready=False)), Exit.DEGRADED, "logs canopy"),
        (host("b", service("data", **MISSING)), Exit.DEGRADED, "ansible-playbook site.yml --limit b"),
        (host("b", service("data", **FAILED)), Exit.FAILED, "logs data"),
        (host("b", service("data"), errors=["backups: no permission"]), Exit.FAILED, "doctor"),
        (host("b", is_installed=None, errors=["Missing sudo password"]), Exit.FAILED, "--limit b -vvv"),
        (host("b", **AWAY), Exit.FAILED, "ssh b"),
    ],
)
def test_the_exit_code_is_about_the_worst(
    ansible: FakeAnsible,
    capsys: pytest.CaptureFixture[str],
    second: dict[str, Any],
    verdict: Exit,
    next_command: str | None,
) -> None:
    """Whichever host that is; what to type is about that one."""
    ansible.finds(host("a", service("data")), second)
    assert main(["hosts"]) == verdict
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.endswith(next_command) if next_command else "next:" not in last


def test_programs_get_all_that_was_found(ansible: FakeAnsible, capsys: pytest.CaptureFixture[str]) -> None:
    """With the verdict of the exit code."""
    found = [host("front", service("data")), host("trainer", service("cascor", **STOPPED), gpus=[gpu(0)])]
    ansible.finds(*found)
    assert main(["hosts", "--json"]) == Exit.DEGRADED
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps({"verdict": "degraded", "hosts": found}))


def test_ansible_is_told_which_hosts(ansible: FakeAnsible, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the folder of its settings; a path is still the caller's."""
    ansible.finds(host("a", service("data")))
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path)
    assert main(["hosts", "-i", "mine", "--limit", "a", "--", "--ask-become-pass"]) == Exit.OK
    words = ["check.yml", "--ask-become-pass", f"--inventory={tmp_path / 'mine'}", "--limit=a"]
    assert ansible.called() == (str(ROOT / "ansible"), words)
    assert main(["hosts", "--inventory", "a,"]) == Exit.OK
    assert ansible.called()[1] == ["check.yml", "--inventory=a,"]


def test_where_no_host_was_asked_ansibles_reason_is_told(
    ansible: FakeAnsible,  # noqa: ARG001
    capsys: pytest.CaptureFixture[str],
) -> None:
    """An inventory that is not there has no table."""
    assert main(["hosts"]) == Exit.FAILED
    said = capsys.readouterr()
    assert said.out == ""
    assert "ansible-playbook ended with 1: [ERROR]: no inventory was parsed" in said.err
    assert "next: cd " in said.err


def test_without_ansible_it_is_said_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the environment of the checkout, or anywhere on the PATH."""
    (tmp_path / "ansible").mkdir()
    (tmp_path / "ansible/check.yml").touch()
    monkeypatch.setattr(Checkout, "find", classmethod(lambda cls: cls(tmp_path)))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["hosts"]) == Exit.CONFIGURATION
    assert "no ansible-playbook\n  next: scripts/setup --dev" in capsys.readouterr().err


def test_a_bundle_has_no_playbooks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is said where they are."""
    monkeypatch.setattr(Checkout, "find", classmethod(lambda cls: cls(tmp_path)))
    assert main(["hosts"]) == Exit.USAGE
    assert "is a bundle" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "{}", '{"hosts": [{"host": "a"}]}', '{"hosts": [1]}'])
def test_a_file_that_is_none_of_check_yml_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    """By its name."""
    (tmp_path / "kept.json").write_text(text, encoding="utf-8")
    assert main(["hosts", "--from", str(tmp_path / "kept.json")]) == Exit.CONFIGURATION
    assert f"{tmp_path}/kept.json is nothing that check.yml has kept" in capsys.readouterr().err


def test_what_hosts_say_does_nothing_to_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A host may be in other hands."""
    kept = tmp_path / "kept.json"
    told = host("a", service("data", state="\x1b[2J", why="\x1b[31mred", is_ready=False), errors=["\x07"])
    kept.write_text(json.dumps({"hosts": [told]}), encoding="utf-8")
    assert main(["hosts", "--from", str(kept)]) == Exit.FAILED
    said = capsys.readouterr().out
    assert "\\x1b[2J" in said
    assert not {"\x1b", "\x07"} & set(said)
