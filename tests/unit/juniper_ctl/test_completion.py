import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from juniper_ctl.command_tree import commands
from juniper_ctl.completion import SHELLS, completion
from juniper_ctl.main import COMMANDS
from juniper_ctl.services import SERVICES

NAMES = [service.name for service in SERVICES]


def completed(*words: str, cwd: Path | None = None) -> list[str]:
    """What bash offers for the last of the words."""
    line = " ".join(map(shlex.quote, ("juniper-ctl", *words)))
    program = f"""
{completion("bash")}
compopt() {{ :; }}  # it works on what is typed at a terminal
COMP_WORDS=({line})
COMP_CWORD={len(words)}
[[ $(complete -p juniper-ctl) == "complete -F _juniper_ctl juniper-ctl" ]] || exit 1
_juniper_ctl
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    ended = subprocess.run(
        ["bash", "--norc", "--noprofile", "-eu"], input=program, capture_output=True, text=True, check=False, cwd=cwd
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout.split("\n")[:-1] if ended.stdout.strip() else []


def test_bash_completes_commands() -> None:
    """All of them for an empty word; before a command the options of the program."""
    assert completed("") == list(COMMANDS)
    assert completed("sta") == ["start", "status"]
    assert completed("--system", "sto") == ["stop"]
    assert completed("--s") == ["--system"]


def test_bash_completes_names_of_services_and_options() -> None:
    """Where the command takes them."""
    assert completed("start", "") == NAMES
    assert completed("stop", "data", "c") == ["cascor", "canopy"]
    assert completed("start", "--no") == ["--no-wait"]
    assert completed("version", "") == ["-h", "--help", "--json"]


def test_bash_completes_values_of_options(tmp_path: Path) -> None:
    """Words, folders or files; nothing where anything may stand."""
    (tmp_path / "a folder").mkdir()
    (tmp_path / "a file").touch()
    assert "gpu" in completed("install", "--extra", "g")
    assert completed("install", "--wheelhouse", "a", cwd=tmp_path) == ["a folder"]
    assert sorted(completed("install", "--python", "a", cwd=tmp_path)) == ["a file", "a folder"]
    assert completed("logs", "--lines", "") == []


def test_a_word_of_a_command_among_its_operands_changes_nothing() -> None:
    """`logs data start` is about logs."""
    assert completed("logs", "start", "--fol") == ["--follow"]


def test_every_option_of_every_command_is_in_every_script() -> None:
    """They are made from the parsers."""
    tree = commands()
    assert [one.path for one in tree if len(one.path) == 1] == [(name,) for name in COMMANDS]
    for shell in SHELLS:
        script = completion(shell)
        for one in tree:
            assert "/".join(("", *one.path)) in script
            for option in one.options:
                written = {"fish": f"-l {option[2:]} " if option.startswith("--") else f"-s {option[1:]} "}
                assert written.get(shell, option) in script


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_is_of_the_shells_language(shell: str) -> None:
    """As the shell itself says."""
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell} on this machine")
    ended = subprocess.run([shell, "-n"], input=completion(shell), capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
