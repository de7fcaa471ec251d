"""Log records as entries of the journal, and as lines on a terminal."""

import logging
import os
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from juniper_common import logs
from juniper_common.hiding import HIDDEN
from tests.unit.juniper_common.fake_journal import FakeJournal


@pytest.fixture(autouse=True)
def _restore() -> Iterator[None]:
    """Begin with nothing known, and leave logging as it was found."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers[:] = []  # Else configure closes pytest's own.
    with logs.about():
        yield
    for handler in root.handlers:
        handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def _in_a_request() -> Iterator[None]:
    """Log within a run, its dataset, a phase and a request."""
    request = logs.request_id.set("q1")
    with logs.about("r1", "spiral-1", "output"):
        yield
    logs.request_id.reset(request)


@pytest.fixture
def journald(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeJournal]:
    """A journal that reads this process's standard error, as systemd would say."""
    stream = os.fstat(2)
    monkeypatch.setenv("JOURNAL_STREAM", f"{stream.st_dev}:{stream.st_ino}")
    with closing(FakeJournal(tmp_path / "journal")) as listening:
        yield listening


def test_journal_entry_has_a_priority(journald: FakeJournal) -> None:
    """The level is what the journal sorts by."""
    logs.configure("DEBUG", "juniper-tiny", journal_address=journald.address)
    log = logging.getLogger("x")
    for level in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL):
        log.log(level, "%s", "done")
    assert [(entry["PRIORITY"], entry["MESSAGE"]) for entry in journald.entries()] == [
        (priority, "done") for priority in "76432"
    ]


@pytest.mark.usefixtures("_in_a_request")
def test_journal_entry_says_who_where_and_of_what(journald: FakeJournal) -> None:
    """Each in a field that can be asked for, and none of it in the message."""
    logs.configure("INFO", "juniper-tiny", journal_address=journald.address)
    logging.getLogger("x").info("installed")
    (entry,) = journald.entries()
    assert int(entry.pop("CODE_LINE")) > 0
    assert entry == {
        "MESSAGE": "installed",
        "PRIORITY": "6",
        "SYSLOG_IDENTIFIER": "juniper-tiny",
        "LOGGER": "x",
        "CODE_FILE": __file__,
        "CODE_FUNC": "test_journal_entry_says_who_where_and_of_what",
        "JUNIPER_RUN": "r1",
        "JUNIPER_DATASET": "spiral-1",
        "JUNIPER_REQUEST": "q1",
        "JUNIPER_PHASE": "output",
    }


def test_what_is_not_known_is_no_field(journald: FakeJournal) -> None:
    """Else an empty run would be asked for in vain; and what was logged about one ends with it."""
    logs.configure("INFO", "juniper-tiny", journal_address=journald.address)
    with logs.about("r1"):
        logging.getLogger("x").info("in it")
    logging.getLogger("x").info("after it")
    runs = [[name for name in entry if name.startswith("JUNIPER_")] for entry in journald.entries()]
    assert runs == [["JUNIPER_RUN"], []]


def test_traceback_is_in_the_same_entry(journald: FakeJournal) -> None:
    """Below the message: nobody has to put lines together."""
    logs.configure("INFO", "juniper-tiny", journal_address=journald.address)
    try:
        raise ValueError("no")
    except ValueError:
        logging.getLogger("x").exception("failed")
    (message,) = journald.messages()
    assert message.startswith("failed\nTraceback ")
    assert message.endswith("\nValueError: no")


def test_secrets_reach_neither_text_nor_fields(journald: FakeJournal) -> None:
    """A caller may have given a key for a request's id."""
    logs.configure("INFO", "juniper-tiny", ["s3cret"], journal_address=journald.address)
    request = logs.request_id.set("s3cret")
    logging.getLogger("x").info("asking http://me:word@data:8100 with %s", "s3cret")
    logs.request_id.reset(request)
    (entry,) = journald.entries()
    assert entry["MESSAGE"] == f"asking http://{HIDDEN}@data:8100 with {HIDDEN}"
    assert entry["JUNIPER_REQUEST"] == HIDDEN


def test_a_hostile_id_stays_one_short_line(journald: FakeJournal) -> None:
    """Whatever stands in the path of a request."""
    logs.configure("INFO", "juniper-tiny", journal_address=journald.address)
    with logs.about("a\nPRIORITY=0\x1b[2J" + "x" * 10_000):
        logging.getLogger("x").info("seen")
    (entry,) = journald.entries()
    assert entry["PRIORITY"] == "6"
    assert entry["JUNIPER_RUN"].startswith("a\\x0aPRIORITY=0\\x1b[2Jx")
    assert len(entry["JUNIPER_RUN"]) < 2 * logs.MAX_VALUE


def test_record_that_cannot_be_written_is_left_out(journald: FakeJournal, capsys: pytest.CaptureFixture[str]) -> None:
    """Logging tells of it on standard error, and what logged goes on."""
    logs.configure("INFO", "juniper-tiny", journal_address=journald.address)
    logging.getLogger("x").info("%d", "no number")
    logging.getLogger("x").info("well")
    assert journald.messages() == ["well"]
    assert "no number" in capsys.readouterr().err


@pytest.mark.usefixtures("_in_a_request")
def test_without_the_socket_lines_go_to_standard_error(
    journald: FakeJournal, capsys: pytest.CaptureFixture[str]
) -> None:
    """The journal reads that too: by lines, so that each has the priority and the first one all that is known."""
    logs.configure("INFO", "juniper-tiny", journal_address=journald.address)
    journald.close()
    try:
        raise ValueError("no")
    except ValueError:
        logging.getLogger("x").exception("failed")
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "<3>failed run=r1 dataset=spiral-1 request=q1 phase=output"
    assert lines[-1] == "<3>ValueError: no"
    assert all(line.startswith("<3>") for line in lines)


@pytest.mark.parametrize("told", [None, "8:1"])
def test_terminal_line_has_time_level_and_logger(
    told: str | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where the journal reads an ancestor's standard error, and not this one."""
    if told is not None:
        monkeypatch.setenv("JOURNAL_STREAM", told)
    logs.configure("INFO", "juniper-tiny")
    logging.getLogger("juniper.x").warning("late")
    assert re.fullmatch(r"\d\d:\d\d:\d\d\.\d{3} WARNING juniper\.x: late\n", capsys.readouterr().err)


def test_no_text_passes_for_a_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    """Nor does it move the cursor: a name in it may be a stranger's."""
    logs.configure("INFO", "juniper-tiny")
    logging.getLogger("x").info("no file %s", "a\n12:00:00.000 ERROR x: all is lost\x1b[1A\r")
    first, second = capsys.readouterr().err.splitlines()
    assert first.endswith("INFO    x: no file a")
    assert second == "    12:00:00.000 ERROR x: all is lost\\x1b[1A\\x0d"


@pytest.mark.parametrize(("level", "lines"), [("DEBUG", 1), ("WARNING", 1), ("ERROR", 0)])
def test_noisy_libraries_say_warnings_at_most(level: str, lines: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Their details are nobody's, and a quieter level holds for them too."""
    logs.configure(level, "juniper-tiny")
    logging.getLogger("httpx").info("a request")
    logging.getLogger("httpx").warning("a problem")
    assert len(capsys.readouterr().err.splitlines()) == lines


def test_a_retry_is_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    """A service that is away would fill the log of whoever asks it every second."""
    logs.configure("INFO", "juniper-tiny")
    logging.getLogger("stamina").warning("stamina.retry_scheduled")
    assert capsys.readouterr().err == ""
