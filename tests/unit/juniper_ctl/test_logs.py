import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from juniper_ctl import scope
from juniper_ctl.errors import Exit
from juniper_ctl.locations import Locations
from juniper_ctl.logs import TASKS
from juniper_ctl.main import main
from tests.unit.juniper_ctl.fake_journal import FakeJournal
from tests.unit.juniper_ctl.fake_systemd import FakeSystemd

WRITTEN = {
    "SYSLOG_IDENTIFIER": "juniper-cascor",
    "PRIORITY": "4",
    "MESSAGE": "late",
    "LOGGER": "juniper_cascor.x",
    "JUNIPER_RUN": "r1",
    "JUNIPER_PHASE": "output",
    "_PID": "7",
}


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, systemd: FakeSystemd) -> FakeJournal:  # noqa: ARG001
    """An empty one, beside a manager that answers."""
    fake = FakeJournal.install(tmp_path / "journal")
    monkeypatch.setenv("PATH", f"{fake.folder / 'bin'}:{os.environ['PATH']}")
    return fake


@pytest.fixture(autouse=True)
def _scope() -> Iterator[None]:
    """The next test is about the user's services again."""
    yield
    scope.choose("user")


def _services(call: list[str]) -> list[str]:
    return [word.partition("=")[2] for word in call if word.startswith("SYSLOG_IDENTIFIER=")]


def test_all_services_bring_what_is_written_beside_them(journal: FakeJournal) -> None:
    """Alerts and what the timers start; one service alone brings its own lines; of this user's services."""
    main(["logs"])
    services = ["juniper-data", "juniper-cascor", "juniper-canopy"]
    assert _services(journal.call()) == [*services, *TASKS, "juniper-alert", "juniper-health"]
    assert {"--lines=50", f"_UID={os.getuid()}"} < set(journal.call())
    main(["logs", "data"])
    assert _services(journal.call()) == ["juniper-data"]
    assert "+" not in journal.call()


def test_of_the_health_checks_those_are_shown_that_found_something(journal: FakeJournal) -> None:
    """There is one each half minute: the others would be all that the last lines are."""
    main(["logs", "--run", "r1"])
    call = journal.call()
    checks = call[call.index("+") + 1 :]
    assert checks[:3] == ["SYSLOG_IDENTIFIER=juniper-health", f"_UID={os.getuid()}", "JUNIPER_RUN=r1"]
    assert checks[3:] == [f"PRIORITY={priority}" for priority in range(5)]


def test_every_unit_that_writes_is_one_whose_lines_are_shown() -> None:
    """By the name that its unit file gives it in the journal, but the probe, which only doctor starts."""
    units = Path(__file__).parents[3] / "systemd/user"
    texts = {path: path.read_text(encoding="utf-8") for path in units.glob("*.service")}
    named = {
        found[1].replace("%p", path.name.partition("@")[0].removesuffix(".service"))
        for path, text in texts.items()
        if (found := re.search(r"^SyslogIdentifier=(.*)$", text, re.M))
    }
    assert named == {*TASKS, "juniper-alert", "juniper-health", "juniper-probe"}


def test_since_shows_all_from_then_on(journal: FakeJournal) -> None:
    """Not only the last lines of it."""
    main(["logs", "data", "--since=-10min", "-f"])
    assert {"--since=-10min", "--follow"} < set(journal.call())
    assert "--lines=50" not in journal.call()


def test_lines_are_chosen_by_what_they_belong_to(journal: FakeJournal) -> None:
    """The journal itself looks for them."""
    main(["logs", "--run", "r1", "--dataset", "d1", "--request", "q1", "--level", "Warning", "--grep", "a b|c"])
    wanted = {"JUNIPER_RUN=r1", "JUNIPER_DATASET=d1", "JUNIPER_REQUEST=q1", "--priority=4", "--grep=a b|c"}
    assert wanted < set(journal.call())


def test_services_of_the_host_are_told_by_their_units(journal: FakeJournal) -> None:
    """Users' services have the same names; and those of the host run as whoever systemd makes up."""
    main(["--system", "logs", "cascor"])
    assert "_SYSTEMD_UNIT=juniper-cascor.service" in journal.call()
    assert not [word for word in journal.call() if word.startswith("_UID=")]


def test_a_line_says_when_who_how_bad_and_of_what(journal: FakeJournal, capsys: pytest.CaptureFixture[str]) -> None:
    """What was asked for is not repeated."""
    journal.has(WRITTEN)
    written = datetime.fromtimestamp(1795777757.962881).strftime("%Y-%m-%d %H:%M:%S")
    assert main(["logs"]) == Exit.OK
    assert capsys.readouterr().out == f"{written} cascor WARNING  late run=r1 phase=output\n"
    main(["logs", "--run", "r1"])
    assert capsys.readouterr().out == f"{written} cascor WARNING  late phase=output\n"


def test_no_text_passes_for_a_line_of_its_own(journal: FakeJournal, capsys: pytest.CaptureFixture[str]) -> None:
    """Nor does it move the cursor: what a library prints reaches the journal as it is."""
    journal.has(WRITTEN | {"MESSAGE": list(b"a\x1b[1A\n2026 b\xff"), "JUNIPER_RUN": "r\n1", "JUNIPER_PHASE": None})
    main(["logs"])
    first, second = capsys.readouterr().out.splitlines()
    assert first.endswith(" WARNING  a\\x1b[1A run=r\\x0a1")
    assert second == "    2026 b\ufffd"


def test_json_has_what_is_ours_of_an_entry(journal: FakeJournal, capsys: pytest.CaptureFixture[str]) -> None:
    """One object a line, so that it can be followed."""
    journal.has(WRITTEN, {"SYSLOG_IDENTIFIER": "juniper-alert", "PRIORITY": "3", "MESSAGE": "ALERT"})
    assert main(["logs", "--json"]) == Exit.OK
    line, alert = (json.loads(text) for text in capsys.readouterr().out.splitlines())
    assert datetime.fromisoformat(line.pop("time")).timestamp() == pytest.approx(1795777757.962)
    assert line == {
        "service": "cascor",
        "level": "WARNING",
        "message": "late",
        "logger": "juniper_cascor.x",
        "run": "r1",
        "dataset": None,
        "request": None,
        "phase": "output",
    }
    assert (alert["service"], alert["level"], alert["logger"]) == ("alert", "ERROR", None)


def test_the_last_lines_of_a_pattern_stand_in_their_order(
    journal: FakeJournal, capsys: pytest.CaptureFixture[str]
) -> None:
    """It looks for them backwards, and tells them so."""
    journal.has(*({"MESSAGE": message} for message in ("second", "first")))
    main(["logs", "--grep", "s"])
    assert [line.split()[-1] for line in capsys.readouterr().out.splitlines()] == ["first", "second"]


def test_nothing_found_is_said(journal: FakeJournal, capsys: pytest.CaptureFixture[str]) -> None:
    """To a person; a program reads no line."""
    assert main(["logs"]) == Exit.OK
    assert capsys.readouterr().out == "no line is there that was asked for\n"
    main(["logs", "--json"])
    assert capsys.readouterr().out == ""
    assert journal.call()


@pytest.mark.parametrize(
    ("complaint", "code", "next_command"),
    [
        ("No journal files were opened due to insufficient permissions.", Exit.PERMISSION, "sudo mkdir"),
        ('Bad pattern "(": missing closing parenthesis', Exit.USAGE, "juniper-ctl logs --help"),
    ],
)
def test_what_journalctl_refuses_is_said(
    journal: FakeJournal, capsys: pytest.CaptureFixture[str], complaint: str, code: Exit, next_command: str
) -> None:
    """With the next command."""
    journal.complains(complaint)
    assert main(["logs", "--grep", "("]) == code
    assert f"next: {next_command}" in capsys.readouterr().err


def test_a_level_that_is_none_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    """The levels are named."""
    assert main(["logs", "--level", "loud"]) == Exit.USAGE
    assert "critical" in capsys.readouterr().err


@pytest.mark.usefixtures("no_systemd")
def test_without_systemd_the_logs_of_the_foreground_are_shown(home: Locations) -> None:
    """Those that are there."""
    home.logs.mkdir(parents=True)
    (home.logs / "data.log").write_text("one\ntwo\nthree\n")
    command = [sys.executable, "-m", "juniper_ctl", "logs", "-n", "2"]
    shown = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ), check=True)
    assert shown.stdout.endswith("two\nthree\n")
    assert "one" not in shown.stdout


@pytest.mark.usefixtures("no_systemd")
@pytest.mark.parametrize("asked", ["--run=r1", "--since=today", "--level=error", "--grep=x", "--json"])
def test_files_cannot_be_asked(home: Locations, capsys: pytest.CaptureFixture[str], asked: str) -> None:
    """What needs the journal says so, and where the files are."""
    home.logs.mkdir(parents=True)
    (home.logs / "data.log").write_text("one\n")
    assert main(["logs", asked]) == Exit.NO_BUS
    said = capsys.readouterr().err
    assert f"{asked.partition('=')[0]} needs the journal" in said
    assert f"next: less {home.logs / 'data.log'}" in said


@pytest.mark.usefixtures("no_systemd", "home")
def test_without_any_log_the_demo_is_what_to_type(capsys: pytest.CaptureFixture[str]) -> None:
    """No manager is exit code 69."""
    assert main(["logs"]) == Exit.NO_BUS
    assert capsys.readouterr().err.endswith("next: juniper-ctl demo\n")
