import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from juniper_ctl.checkout import Checkout
from juniper_ctl.main import COMMANDS, EXAMPLES, main, module_of, parser
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
        (["wait", "--timeout", "0"], 64, "juniper-ctl wait --help"),
        (["resources", "--interval", "soon"], 64, "juniper-ctl resources --help"),
        (["completion", "tcsh"], 64, "juniper-ctl completion --help"),
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


@pytest.mark.usefixtures("no_systemd")
def test_the_next_command_is_about_the_same_services() -> None:
    """The whole host's, where it was asked about them."""
    assert script("--system", "runs").stderr.endswith("next: scripts/juniper-ctl --system start cascor\n")


def test_commands_reach_systemd(systemd: FakeSystemd, capsys: pytest.CaptureFixture[str]) -> None:
    """Start, restart, stop, status: with service names as arguments."""
    for service in SERVICES:
        systemd.set(service.unit, READY)
    assert main(["start", "--no-wait", "data"]) == 0
    assert main(["restart", "--no-wait", "cascor"]) == 0
    assert main(["stop", "canopy"]) == 0
    assert main(["status", "data"]) == 0
    assert systemd.calls() == [
        "reset-failed juniper-data.service",
        "start juniper-data.service",
        "reset-failed juniper-cascor.service",
        "restart juniper-cascor.service",
        "stop juniper-canopy.service",
    ]
    assert "canopy     stopped" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["start"], ["start", "--wait"], ["restart", "--no-wait"], ["wait"]])
def test_programs_are_told_the_state_afterwards(
    systemd: FakeSystemd, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    """In place of the lines for a person, and as `status --json` tells it."""
    systemd.set("juniper-data.service", READY)
    assert main([*arguments, "data", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["verdict"], [service["service"] for service in told["services"]]) == ("ok", ["data"])


@pytest.mark.usefixtures("no_systemd")
def test_programs_are_told_an_error_too(capsys: pytest.CaptureFixture[str]) -> None:
    """On standard output; the lines for a person stay where they are."""
    assert main(["stop", "--json"]) == 69
    told = capsys.readouterr()
    error = json.loads(told.out)
    assert (error["verdict"], error["next"]) == ("no_bus", "juniper-ctl demo")
    assert told.err == f"juniper-ctl: {error['error']}\n  next: juniper-ctl demo\n"


def test_a_command_that_is_misspelt_is_guessed(capsys: pytest.CaptureFixture[str]) -> None:
    """Where one is like it."""
    assert main(["strat"]) == 64
    assert "there is no command strat; did you mean start?" in capsys.readouterr().err


def test_an_error_does_nothing_to_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """A name in it may be anybody's."""
    assert main(["x\u202e\x1b[2J"]) == 64
    assert capsys.readouterr().err.startswith("juniper-ctl: there is no command x\\u202e\\x1b[2J\n  next: ")


@pytest.mark.usefixtures("systemd")
def test_what_the_file_system_refuses_is_no_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message names the file, and the next command looks at it."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("HOME", str(tmp_path / "file"))
    assert main(["install"]) == 1
    assert f"  next: ls -ld {tmp_path}/file" in capsys.readouterr().err


@pytest.mark.parametrize("words", ["version", "--help"])
@pytest.mark.parametrize(("target", "code", "said"), [("| true", 0, ""), (">/dev/full", 1, "No space left on device")])
def test_output_that_goes_nowhere_is_no_traceback(words: str, target: str, code: int, said: str) -> None:
    """A reader that has gone is no error, a full disk is one."""
    command = f"set -o pipefail; {sys.executable} scripts/juniper-ctl {words} {target}"
    ended = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == code
    assert said in ended.stderr
    assert "Exception" not in ended.stderr


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
    program = "from juniper_ctl.main import COMMANDS, module_of; [module_of(name) for name in COMMANDS]"
    command = [sys.executable, "-S", "-c", program]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stderr == ""


def test_every_command_says_what_it_takes(capsys: pytest.CaptureFixture[str]) -> None:
    """Each one's `--help` is its own, and the list of all names it."""
    with pytest.raises(SystemExit, match=r"^0$"):
        main(["--help"])
    whole = capsys.readouterr().out
    for name, tells in COMMANDS.items():
        with pytest.raises(SystemExit, match=r"^0$"):
            main([name, "--help"])
        own = capsys.readouterr().out
        assert f"juniper-ctl {name}" in own
        assert "\nexamples:\n" in own
        assert "\nexit codes:\n    0  " in own
        assert re.search(rf"^  {name} +{re.escape(tells)}$", whole, re.MULTILINE)
    modules = {path.stem for path in (ROOT / "juniper_ctl/commands").glob("*.py")} - {
        "__init__",
        "arguments",
        "build_options",
    }
    assert modules == set(COMMANDS)


def test_each_example_is_a_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Of the help of all and of each: the parsers take it."""
    parsers = parser(tuple(COMMANDS))
    examples = [example for example, _ in EXAMPLES]
    examples += [example for name in COMMANDS for example, _ in module_of(name).EXAMPLES]
    lines = [words for example in examples for words in re.findall(r"juniper-ctl ([^&|<)]+)", example)]
    assert len(lines) > len(COMMANDS)
    for line in lines:
        parsers.parse_args(shlex.split(line))
    assert capsys.readouterr().out == ""


def test_status_imports_nothing_that_is_slow_to_import(systemd: FakeSystemd) -> None:
    """Neither what another command takes, nor what most of its time would be spent on."""
    for service in SERVICES:
        systemd.set(service.unit, READY)
    slow = {"inspect", "dataclasses", "json", "shutil", "tempfile", "socket", "difflib", "juniper_ctl.control"}
    program = f"""
import sys
from juniper_ctl.main import main
code = main(["status"])
print(sorted({slow} & set(sys.modules)), file=sys.stderr)
sys.exit(code)
"""
    # -S: an editable installation imports some of them to find this package.
    command = [sys.executable, "-S", "-c", program]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "[]\n")


@pytest.mark.parametrize("words", [["--since", "-10min"], ["--since=-10min"]])
def test_a_time_may_begin_with_a_dash(words: list[str]) -> None:
    """As journalctl takes it."""
    assert parser(["logs"]).parse_args(["logs", *words, "data"]).since == "-10min"
