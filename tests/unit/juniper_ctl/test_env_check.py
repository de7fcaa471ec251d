"""Env files as `juniper-ctl env check` and `env show` see them; the programs asked are small ones."""

import json
import sys
from pathlib import Path

import pytest

from juniper_ctl.doctor.env_section import look
from juniper_ctl.env_check import lines_of
from juniper_ctl.errors import Exit
from juniper_ctl.locations import Locations
from juniper_ctl.main import main
from juniper_ctl.services import SERVICES

_PROGRAM = """#!{python} -IS
import json, os, pathlib, sys

with pathlib.Path(__file__).with_suffix(".starts").open("a") as starts:
    starts.write("one\\n")

def setting(name, secret=False, older=()):
    return {{"name": name, "aliases": [], "older_names": list(older), "is_secret": secret}}

names = ["JUNIPER_ENV", "JUNIPER_{upper}_PORT"]
def report(environment):
    problems = []
    if environment.get("JUNIPER_{upper}_PORT") == "x":
        problems = [{{"name": "JUNIPER_{upper}_PORT", "reason": "is no port"}}]
    if os.path.exists(os.path.join(os.environ["CREDENTIALS_DIRECTORY"], "juniper_{name}_api_keys")):
        problems = [{{"name": "JUNIPER_{upper}_API_KEYS", "reason": "the credential cannot be used"}}]
    return {{
        "service": "{name}",
        "settings": [setting("JUNIPER_ENV"), setting("JUNIPER_{upper}_PORT", older=["{upper}_PORT"]),
                     setting("JUNIPER_{upper}_API_KEYS", secret=True)],
        "problems": problems,
    }}

print(json.dumps({{"reports": [report(environment) for environment in json.load(sys.stdin)]}}))
"""


@pytest.fixture
def installed(home: Locations) -> Locations:
    """Env files of an installation, and programs that know three settings each."""
    folder = home.current / "bin"
    folder.mkdir(parents=True)
    for service in SERVICES:
        program = folder / service.command
        program.write_text(_PROGRAM.format(python=sys.executable, name=service.name, upper=service.name.upper()))
        program.chmod(0o755)
    home.credentials.mkdir(parents=True)
    for profile in ("dev", "production"):
        write(home.configuration / f"{profile}.env", f"JUNIPER_ENV={profile}\n")
    (home.configuration / "profile.env").symlink_to("production.env")
    return home


def write(path: Path, text: str) -> None:
    """A file that its owner alone reads."""
    path.write_text(text)
    path.chmod(0o600)


def faults(capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """What `env check --json` tells, by file, line and name."""
    main(["env", "check", "--json"])
    told = json.loads(capsys.readouterr().out)["faults"]
    return {
        f"{each['file']}:{each['line']} {each['name']}": each["reason"] for each in told if each["level"] == "wrong"
    }


@pytest.mark.usefixtures("installed")
def test_files_of_an_installation_are_well(capsys: pytest.CaptureFixture[str]) -> None:
    """One line, and exit code 0."""
    assert main(["env", "check"]) == Exit.OK
    assert capsys.readouterr().out.startswith("ok      nothing wrong in ")


def test_each_program_is_started_once(installed: Locations) -> None:
    """Of all profiles together, since that is what takes long."""
    assert main(["env", "check"]) == Exit.OK
    starts = [(installed.current / f"bin/juniper-{service.name}.starts").read_text() for service in SERVICES]
    assert starts == ["one\n"] * len(SERVICES)


def test_a_name_that_no_service_knows_is_told_with_the_nearest(
    installed: Locations, capsys: pytest.CaptureFixture[str]
) -> None:
    """With file and line; what is none of Juniper's is passed on, and no fault."""
    write(
        installed.configuration / "juniper.env",
        "# all\n\nJUNIPER_DATA_PROT=1\nA_NAME=2\nJUNIPER_OF_NOBODY=1\n",
    )
    write(installed.configuration / "data.env", "JUNIPER_CASCOR_PORT=1\n")
    assert faults(capsys) == {
        "juniper.env:3 JUNIPER_DATA_PROT": "is no setting; JUNIPER_DATA_PORT is one",
        "juniper.env:5 JUNIPER_OF_NOBODY": "is no setting",
        "data.env:1 JUNIPER_CASCOR_PORT": "is no setting of data, which alone reads this file",
    }
    assert main(["env", "check"]) == Exit.CONFIGURATION


def test_a_value_that_a_service_refuses_is_told_where_it_stands(
    installed: Locations, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the file that counts, of a profile that does not run now too."""
    write(installed.configuration / "juniper.env", "JUNIPER_DATA_PORT=x\nJUNIPER_CASCOR_PORT=x\n")
    write(installed.configuration / "data.env", "JUNIPER_DATA_PORT=1\n")
    write(installed.configuration / "dev.env", "JUNIPER_ENV=dev\nJUNIPER_CANOPY_PORT=x\n")
    assert faults(capsys) == {
        "juniper.env:2 JUNIPER_CASCOR_PORT": "is refused by cascor: is no port",
        "dev.env:2 JUNIPER_CANOPY_PORT": "is refused by canopy: is no port",
    }


def test_a_secret_belongs_into_a_credential(installed: Locations, capsys: pytest.CaptureFixture[str]) -> None:
    """The finding says how, and never what it is."""
    write(installed.configuration / "data.env", "JUNIPER_DATA_API_KEYS=hidden\n")
    assert main(["env", "check"]) == Exit.CONFIGURATION
    said = capsys.readouterr().out
    assert "data.env:1: JUNIPER_DATA_API_KEYS is a secret" in said
    assert "next: juniper-ctl credentials set juniper_data_api_keys" in said
    assert "hidden" not in said


def test_a_credential_that_a_service_refuses_is_in_no_env_file(
    installed: Locations, capsys: pytest.CaptureFixture[str]
) -> None:
    """It stands in the folder of credentials."""
    (installed.credentials / "juniper_data_api_keys").touch()
    told = {"credentials:None JUNIPER_DATA_API_KEYS": "is refused by data: the credential cannot be used"}
    assert faults(capsys) == told


def test_a_file_that_others_can_read_is_told(installed: Locations, capsys: pytest.CaptureFixture[str]) -> None:
    """With the command that mends it."""
    path = installed.configuration / "dev.env"
    path.chmod(0o644)
    assert main(["env", "check"]) == Exit.CONFIGURATION
    assert f"next: chmod 600 {path}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("A=1\nnothing\n", 2, "there is no ="),
        ("export A=1\n", 1, "without export"),
        ("A B=1\n", 1, "no name of a variable"),
        ("B=1\nA='open\nC=2\n", 2, "nothing closes"),
        ('A="open\nB="closed\n', 1, "only a later line closes"),
        ("A=1\nB=2\nA=3\n", 3, "is set in line 1 too"),
        ("A=1 # one\n", 1, "a comment is a line of its own"),
        ('A="1" # one\n', 1, "after its closing quote"),
        ("A=$HOME/x\n", 1, "nothing is put in its place"),
        ("# one \\\nA=1\n", 1, "hides the next line"),
    ],
)
def test_a_line_that_is_read_otherwise_than_it_looks(text: str, line: int, reason: str) -> None:
    """Told with its number."""
    (fault,) = lines_of("juniper.env", text)
    assert (fault.level, fault.line) == ("wrong", line)
    assert reason in fault.reason


@pytest.mark.parametrize("text", ["A = 1\n", "A=\"x y\"\nB='z'\n", "# c\n\nA=a#b\n", "A=one \\\ntwo\n", 'A={"a": 1}\n'])
def test_a_line_that_is_read_as_it_looks(text: str) -> None:
    """Systemd takes blanks around `=` away."""
    assert list(lines_of("juniper.env", text)) == []


def test_what_a_service_will_see_is_told_with_its_file(
    installed: Locations, capsys: pytest.CaptureFixture[str]
) -> None:
    """The link's own file is named; a secret is hidden."""
    write(installed.configuration / "juniper.env", "A=1\nB=1\nJUNIPER_DATA_API_KEYS=key\n")
    write(installed.configuration / "data.env", "B=2\n")
    assert main(["env", "show", "data"]) == Exit.OK
    assert capsys.readouterr().out.splitlines() == [
        "profile production",
        "data     A=1   juniper.env:1",
        "data     B=2   data.env:1",
        "data     JUNIPER_DATA_API_KEYS=(hidden)   juniper.env:3",
        "data     JUNIPER_ENV=production   production.env:1",
    ]


def test_doctor_sees_credentials_too(installed: Locations) -> None:
    """One that is missing keeps its services from starting."""
    texts = [finding.text for finding in look(installed) if finding.level == "wrong"]
    assert "credential juniper_data_api_keys: missing" in texts


def test_doctor_sees_what_others_can_look_into(installed: Locations) -> None:
    """The folders, and whatever lies among the secrets; each with what mends it."""
    installed.configuration.chmod(0o755)
    installed.credentials.chmod(0o700)
    secret = installed.credentials / "of_an_earlier_version"
    secret.touch(0o644)
    found = [finding for finding in look(installed) if finding.text.startswith("others may look into")]
    assert {finding.next_command for finding in found} == {
        f"chmod 700 {installed.configuration}",
        f"chmod 600 {secret}",
    }


def test_a_host_where_nothing_is_installed(home: Locations, capsys: pytest.CaptureFixture[str]) -> None:
    """One line, what to type, and no traceback."""
    for action in ("check", "show"):
        assert main(["env", action]) == Exit.CONFIGURATION
        assert capsys.readouterr().err.endswith("  next: juniper-ctl install\n")
    (finding,) = look(home)
    assert (finding.level, finding.next_command) == ("absent", "juniper-ctl install")


def test_a_program_that_does_not_answer_is_no_verdict(installed: Locations, capsys: pytest.CaptureFixture[str]) -> None:
    """What it could not be asked is unknown; the lines are looked at all the same."""
    (installed.current / "bin/juniper-data").write_text("#!/bin/sh\necho broken >&2; exit 1\n")
    write(installed.configuration / "data.env", "nothing\n")
    assert main(["env", "check"]) == Exit.CONFIGURATION
    said = capsys.readouterr().out
    assert "does not say what can be set: broken" in said
    assert "data.env:1: there is no =" in said


def test_what_no_service_reads_is_checked_too(installed: Locations, capsys: pytest.CaptureFixture[str]) -> None:
    """A profile that no start accepts, a number that no backup accepts."""
    write(installed.configuration / "juniper.env", "JUNIPER_ENV=nonsense\nJUNIPER_BACKUP_KEEP_LAST=0\n")
    found = faults(capsys)
    assert found["juniper.env:1 JUNIPER_ENV"] == "is refused: nonsense is no profile; there are dev, demo, production"
    assert found["juniper.env:2 JUNIPER_BACKUP_KEEP_LAST"] == "is refused: 0 is no number from 1 on"
