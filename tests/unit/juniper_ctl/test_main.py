import os
import subprocess
import sys
from pathlib import Path

import pytest

from juniper_ctl.checkout import Checkout
from juniper_ctl.main import COMMANDS, main
from juniper_ctl.services import SERVICES
from tests.unit.juniper_ctl.fake_systemd import READY, FakeSystemd

ROOT = Path(__file__).parents[3]
SCRIPT = ROOT / "scripts/juniper-ctl"


def script(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Call scripts/juniper-ctl as a person does."""
    command = [sys.executable, "scripts/juniper-ctl", *arguments]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, env={**os.environ, **settings}, check=False
    )


@pytest.mark.parametrize(
    ("arguments", "code", "next_command"),
    [
        ([], 64, "juniper-ctl --help"),
        (["dance"], 64, "juniper-ctl --help"),
        (["demo", "--pace", "fast"], 64, "juniper-ctl demo --help"),
        (["demo", "--pace", "0"], 64, "juniper-ctl demo --help"),
        (["status", "postgres"], 4, "juniper-ctl status"),
        (["install", "--wheelhouse", "/nowhere"], 78, "juniper-ctl bundle /nowhere"),
    ],
)
@pytest.mark.usefixtures("systemd")
def test_an_error_ends_with_the_next_command(
    capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, next_command: str
) -> None:
    """And with the exit code of its kind."""
    assert main(arguments) == code
    assert capsys.readouterr().err.splitlines()[-1] == f"  next: {next_command}"


@pytest.mark.usefixtures("no_systemd")
def test_the_next_command_is_what_the_person_can_type() -> None:
    """From where the program was called."""
    ended = script("status")
    assert ended.returncode == 69
    assert ended.stderr.startswith("juniper-ctl: no systemd user manager answers")
    assert "Traceback" not in ended.stderr
    assert script("bogus").stderr.endswith("next: scripts/juniper-ctl --help\n")


def test_commands_reach_systemd(systemd: FakeSystemd, capsys: pytest.CaptureFixture[str]) -> None:
    """Start, restart, stop, status: with service names as arguments."""
    for service in SERVICES:
        systemd.set(service.unit, READY)
    assert main(["start", "--no-wait", "data"]) == 0
    assert main(["restart", "--no-wait", "cascor"]) == 0
    assert main(["stop", "canopy"]) == 0
    assert main(["status", "data"]) == 0
    assert systemd.calls() == [
        "start juniper-data.service",
        "restart juniper-cascor.service",
        "stop juniper-canopy.service",
    ]
    assert "canopy     stopped" in capsys.readouterr().out


@pytest.mark.usefixtures("systemd")
def test_what_the_file_system_refuses_is_no_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message names the file, and the next command looks at it."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("HOME", str(tmp_path / "file"))
    assert main(["install"]) == 1
    assert f"  next: ls -ld {tmp_path}/file" in capsys.readouterr().err


def test_version_tells_which_sources_run() -> None:
    """Two states of a checkout have two versions."""
    checkout = Checkout(ROOT)
    assert script("version").stdout == f"{checkout.version()}+{checkout.digest()[:12]} in {ROOT}\n"


def test_a_closed_pipe_is_no_error() -> None:
    """As in `juniper-ctl --help | head -1`."""
    command = ["sh", "-c", f"{sys.executable} {SCRIPT} version | :"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.stderr == ""


def test_an_old_python_gets_one_clear_line() -> None:
    """The script is readable by it; what it imports need not be."""
    old = (
        "import runpy, sys\n"
        "sys.argv = ['scripts/juniper-ctl', 'demo']\n"
        "sys.version_info = (3, 9, 2)\n"
        "runpy.run_path('scripts/juniper-ctl', run_name='__main__')\n"
    )
    ended = subprocess.run([sys.executable, "-c", old], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 78
    assert "Python 3.9 is too old" in ended.stderr
    assert "next: python3.11 scripts/juniper-ctl demo" in ended.stderr


def test_the_standard_library_alone_is_imported() -> None:
    """A bare machine has nothing else."""
    program = "from juniper_ctl.main import COMMANDS, _module; [_module(name) for name in COMMANDS]"
    command = [sys.executable, "-S", "-c", program]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stderr == ""


def test_every_command_says_what_it_takes(capsys: pytest.CaptureFixture[str]) -> None:
    """Each one's `--help` is its own, and the list of all names it."""
    for name in COMMANDS:
        with pytest.raises(SystemExit, match=r"^0$"):
            main([name, "--help"])
        assert f"juniper-ctl {name}" in capsys.readouterr().out
    modules = {path.stem for path in (ROOT / "juniper_ctl/commands").glob("*.py")} - {
        "__init__",
        "arguments",
        "build_options",
    }
    assert modules == set(COMMANDS)


def test_a_command_imports_no_other(tmp_path: Path) -> None:
    """`status` does not load what `install` takes."""
    program = (
        "import sys; from juniper_ctl.main import main; main(['status']);"
        "sys.exit('juniper_ctl.install' in sys.modules or 'juniper_ctl.supervisor' in sys.modules)"
    )
    command = [sys.executable, "-c", program]
    assert (
        subprocess.run(command, cwd=ROOT, env={"PATH": str(tmp_path)}, capture_output=True, check=False).returncode == 0
    )
