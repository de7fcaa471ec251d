"""Every command in every state that a host may be in: a clear line, a documented exit code, never a traceback."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from juniper_ctl.command_tree import commands
from juniper_ctl.errors import COMMON, Exit
from juniper_ctl.main import COMMANDS, main, module_of
from juniper_ctl.services import SERVICES
from tests.unit.juniper_ctl.fake_systemd import READY, FakeSystemd

ARGUMENTS: Mapping[str, Sequence[str]] = {
    "completion": ["bash"],
    "resources": ["--interval", "0.01"],
    "wait": ["--timeout", "0.01"],
}
"""Of commands that do not go without, or that would take long."""


def nothing_is_installed(systemd: FakeSystemd) -> None:
    """A manager that knows no unit of ours."""
    for verb in ("start", "restart", "stop", "enable", "disable", "reset-failed"):
        systemd.refuse(verb, f"Failed to {verb} juniper.target: Unit juniper.target not found.")


def one_has_failed(systemd: FakeSystemd) -> None:
    """The first of them; whoever tries to start it sees it fail again."""
    for service in SERVICES:
        systemd.set(service.unit, READY)
    systemd.set(
        SERVICES[0].unit,
        {"LoadState": "loaded", "ActiveState": "failed", "SubState": "failed", "Result": "watchdog"},
    )


def manager_is_away(systemd: FakeSystemd) -> None:
    """The program systemctl is there and reaches nobody."""
    systemd.go_down()


def there_is_no_systemd(systemd: FakeSystemd) -> None:
    """Not even the program."""
    (systemd.folder / "bin/systemctl").unlink()


STATES = (nothing_is_installed, one_has_failed, manager_is_away, there_is_no_systemd)


@pytest.fixture(scope="session")
def installed_code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tool outside of its checkout, so that no command sets one up or builds a release of it."""
    folder = tmp_path_factory.mktemp("code")
    shutil.copytree(Path(module_of.__code__.co_filename).parent, folder / "juniper_ctl")
    return folder


WITHOUT_JSON: Mapping[tuple[str, ...], str] = {
    ("completion",): "it prints a script",
    ("credentials", "set"): "credentials list --json tells what is set",
    ("credentials", "rotate"): "and how old it is",
}
"""Commands that tell programs nothing, and why they need not."""


def test_every_command_tells_programs_what_it_tells_a_person() -> None:
    """With `--json`, but those few whose reason is written down."""
    found = commands()
    groups = {command.path[:-1] for command in found}
    lacking = {command.path for command in found if command.path not in groups and "--json" not in command.options}
    assert lacking == set(WITHOUT_JSON)


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_ends_as_its_help_says(
    systemd: FakeSystemd, installed_code: Path, command: str, state: Callable[[FakeSystemd], None]
) -> None:
    """Where it fails, it says what to type next."""
    state(systemd)
    ended = subprocess.run(
        # The interpreter itself: beside that of an environment lie the services' programs, which a demo would start.
        [os.path.realpath(sys.executable), "-S", "-m", "juniper_ctl", command, *ARGUMENTS.get(command, ())],
        cwd=installed_code,
        env=os.environ | {"PYTHONPATH": str(installed_code), "PATH": f"{systemd.folder / 'bin'}:/nowhere"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    said = f"{ended.returncode}\n{ended.stdout}\n{ended.stderr}"
    assert "Traceback" not in ended.stderr, said
    assert ended.returncode in {*COMMON, *module_of(command).EXITS}, said
    assert ended.returncode == 0 or "next: " in ended.stdout + ended.stderr, said


@pytest.mark.parametrize(
    ("state", "codes"),
    [
        (nothing_is_installed, {Exit.UNKNOWN_UNIT}),
        (one_has_failed, {Exit.OK, Exit.FAILED}),
        (manager_is_away, {Exit.NO_BUS}),
        (there_is_no_systemd, {Exit.NO_BUS}),
    ],
)
def test_the_exit_code_tells_the_states_apart(
    systemd: FakeSystemd,
    monkeypatch: pytest.MonkeyPatch,
    state: Callable[[FakeSystemd], None],
    codes: set[Exit],
) -> None:
    """Whichever command about the services is asked."""
    monkeypatch.setenv("PATH", str(systemd.folder / "bin"))
    state(systemd)
    commands = ("start", "stop", "restart", "wait", "enable", "disable", "status", "resources")
    assert {main([command, *ARGUMENTS.get(command, ())]) for command in commands} == codes
