import json
from pathlib import Path

import pytest

from juniper_ctl.alerts import REPEAT_S, SETTLED_S, after_failure, after_success, failed, recovered
from juniper_ctl.errors import Exit
from juniper_ctl.locations import Locations
from juniper_ctl.main import main

UNIT = "juniper-health@data"
MONITOR = {
    "MONITOR_SERVICE_RESULT": "exit-code",
    "MONITOR_EXIT_CODE": "exited",
    "MONITOR_EXIT_STATUS": "1",
    "MONITOR_INVOCATION_ID": "4f55",
}
"""What systemd tells whoever it starts about a failure."""

OK = {"MONITOR_SERVICE_RESULT": "success", "MONITOR_EXIT_CODE": "exited", "MONITOR_EXIT_STATUS": "0"}


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """What the units give: the folder."""
    return {"STATE_DIRECTORY": str(tmp_path / "alerts")}


def age(environment: dict[str, str], by_s: float) -> None:
    """Let the open alert be so much older."""
    path = Path(environment["STATE_DIRECTORY"]) / f"{UNIT}.json"
    alert = json.loads(path.read_text())
    path.write_text(json.dumps(alert | {name: alert[name] - by_s for name in ("first", "last", "told")}))


def test_repeats_are_counted_and_told_again_after_an_hour() -> None:
    """The first is told, those within the hour are not."""
    alert, is_told = after_failure(None, "u", "killed", 1000)
    assert is_told
    for now in (1030, 1000 + REPEAT_S - 1):
        alert, is_told = after_failure(alert, "u", "killed", now)
        assert not is_told
    alert, is_told = after_failure(alert, "u", "killed", 1000 + REPEAT_S)
    assert is_told
    assert (alert.count, alert.first, alert.told) == (4, 1000, 1000 + REPEAT_S)


def test_another_failure_of_the_unit_is_told_at_once() -> None:
    """It is another thing to look into."""
    alert, _ = after_failure(None, "u", "killed", 1000)
    alert, is_told = after_failure(alert, "u", "out of memory", 1001)
    assert is_told
    assert (alert.count, alert.how) == (2, "out of memory")


def test_a_clock_that_is_set_back_silences_nothing() -> None:
    """Neither a failure nor the end of one."""
    alert, _ = after_failure(None, "u", "killed", 1_000_000)
    assert after_failure(alert, "u", "killed", 1000)[1]
    assert after_success(alert, 1000)[1]


def test_well_again_is_who_stays_so() -> None:
    """A service that crashes again and again works in between; the time it was away ends when it worked at first."""
    alert, _ = after_failure(None, "u", "killed", 1000)
    alert, is_over = after_success(alert, 1030)
    assert not is_over
    alert, _ = after_failure(alert, "u", "killed", 1060)
    alert, is_over = after_success(alert, 1090)
    assert not is_over
    alert, is_over = after_success(alert, 1060 + SETTLED_S)
    assert is_over
    assert alert.well == 1090


def test_an_alert_and_its_end_are_a_line_each(environment: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    """With priorities that the journal reads: who failed, how, and for how long."""
    for _ in range(3):
        assert failed(UNIT, environment | MONITOR) is Exit.OK
    recovered(UNIT, environment | OK)
    assert capsys.readouterr().out == (f"<3>ALERT unit={UNIT} result=exit-code code=exited status=1 invocation=4f55\n")
    age(environment, REPEAT_S)
    failed(UNIT, environment | MONITOR)
    again = capsys.readouterr().out
    assert again.startswith("<3>ALERT ")
    assert " count=4 since=2" in again
    age(environment, SETTLED_S)
    for _ in range(2):
        recovered(UNIT, environment | OK)
    over = capsys.readouterr().out
    assert over.startswith(f"<5>RECOVERED unit={UNIT} healthy again after {REPEAT_S + SETTLED_S} s, count=4 since=2")
    assert over.count("\n") == 1


def test_a_check_that_was_stopped_saw_nobody_well(
    environment: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """It counts as a success of its unit, so that it raises no alert."""
    failed(UNIT, environment | MONITOR)
    age(environment, SETTLED_S)
    recovered(UNIT, environment | OK | {"MONITOR_EXIT_CODE": "killed", "MONITOR_EXIT_STATUS": "TERM"})
    assert "RECOVERED" not in capsys.readouterr().out


@pytest.mark.parametrize("content", ["", "{", "[]", '{"unit": "x"}', "\0" * 200])
def test_what_a_power_cut_left_is_told_anew(
    environment: dict[str, str], capsys: pytest.CaptureFixture[str], content: str
) -> None:
    """A damaged file silences nothing."""
    folder = Path(environment["STATE_DIRECTORY"])
    folder.mkdir()
    (folder / f"{UNIT}.json").write_text(content)
    failed(UNIT, environment | MONITOR)
    assert capsys.readouterr().out.startswith("<3>ALERT")


def test_an_alert_of_a_later_release_is_the_same(
    environment: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """It is not told again."""
    failed(UNIT, environment | MONITOR)
    path = Path(environment["STATE_DIRECTORY"]) / f"{UNIT}.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"severity": 1}))
    capsys.readouterr()
    failed(UNIT, environment | MONITOR)
    assert "ALERT" not in capsys.readouterr().out


def test_an_alert_that_cannot_be_kept_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As on a full disk: the journal has it before the error."""
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        failed(UNIT, {"STATE_DIRECTORY": str(tmp_path / "file/alerts"), **MONITOR})
    assert capsys.readouterr().out.startswith("<3>ALERT")


def test_an_operators_program_is_told_what_the_journal_is(
    environment: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Once for the alert, once for its end, and not for the repeats."""
    program = tmp_path / "tell"
    program.write_text(f'#!/bin/sh\necho "$1" >>{tmp_path}/told\n')
    program.chmod(0o755)
    environment["JUNIPER_ALERT_PROGRAM"] = str(program)
    for _ in range(2):
        failed(UNIT, environment | MONITOR)
    age(environment, SETTLED_S)
    recovered(UNIT, environment | OK)
    told = (tmp_path / "told").read_text()
    assert told == capsys.readouterr().out.replace("<3>", "").replace("<5>", "")
    assert [line.split()[0] for line in told.splitlines()] == ["ALERT", "RECOVERED"]


@pytest.mark.parametrize(("program", "why"), [("/nowhere/tell", "No such file"), ("/bin/false", "it ended with 1")])
def test_a_program_that_fails_is_told_in_the_journal(
    environment: dict[str, str], capsys: pytest.CaptureFixture[str], program: str, why: str
) -> None:
    """The alert itself stands."""
    assert failed(UNIT, {**environment, **MONITOR, "JUNIPER_ALERT_PROGRAM": program}) is Exit.OK
    alert, complaint = capsys.readouterr().out.splitlines()
    assert alert.startswith("<3>ALERT")
    assert complaint.startswith(f"<3>{program} was not told: ")
    assert why in complaint


def test_the_command_lists_what_is_open(
    home: Locations, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 1 while something is, 0 when all is well; the JSON has the same."""
    assert main(["alerts"]) == 0
    assert capsys.readouterr().out == "nothing has failed that is not well again\n"
    for name, value in MONITOR.items():
        monkeypatch.setenv(name, value)
    assert main(["alerts", "--failed", UNIT]) == 0
    capsys.readouterr()
    assert main(["alerts"]) == Exit.FAILED
    header, line, following = capsys.readouterr().out.splitlines()
    assert header.split() == ["UNIT", "COUNT", "SINCE", "LAST", "HOW"]
    assert line.split()[:2] == [UNIT, "1"]
    assert following == "next: juniper-ctl health"
    assert main(["alerts", "--json"]) == Exit.FAILED
    told = json.loads(capsys.readouterr().out)
    assert (told["verdict"], told["alerts"][0]["unit"], told["alerts"][0]["well"]) == ("failed", UNIT, None)
    assert (home.state_of("alerts") / f"{UNIT}.json").stat().st_mode & 0o777 == 0o600
