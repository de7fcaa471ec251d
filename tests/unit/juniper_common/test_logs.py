"""Log lines for the journal and for a terminal."""

import logging
import re
from collections.abc import Iterator

import pytest

from juniper_common import logs


@pytest.fixture(autouse=True)
def _restore() -> Iterator[None]:
    """Leave logging as it was found."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers[:] = []  # Else configure closes pytest's own.
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def _in_a_request() -> Iterator[None]:
    """Log within a run and a request."""
    run, request = logs.run_id.set("r1"), logs.request_id.set("q1")
    yield
    logs.run_id.reset(run)
    logs.request_id.reset(request)


def test_journal_line_has_a_priority(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Under the journal the level is what it sorts by, and it knows the time itself."""
    monkeypatch.setenv("JOURNAL_STREAM", "8:1")
    logs.configure("DEBUG")
    log = logging.getLogger("x")
    for level in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL):
        log.log(level, "%s", "done")
    assert capsys.readouterr().err.splitlines() == ["<7>done", "<6>done", "<4>done", "<3>done", "<2>done"]


@pytest.mark.usefixtures("_in_a_request")
def test_line_names_its_run_and_request(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """No call passes them on."""
    monkeypatch.setenv("JOURNAL_STREAM", "8:1")
    logs.configure("INFO")
    logging.getLogger("x").info("installed")
    assert capsys.readouterr().err == "<6>installed run=r1 request=q1\n"


@pytest.mark.usefixtures("_in_a_request")
def test_traceback_follows_the_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The fields stand with the message, and each further line has the priority, since the journal reads lines."""
    monkeypatch.setenv("JOURNAL_STREAM", "8:1")
    logs.configure("INFO")
    try:
        raise ValueError("no")
    except ValueError:
        logging.getLogger("x").exception("failed")
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "<3>failed run=r1 request=q1"
    assert lines[-1] == "<3>ValueError: no"
    assert all(line.startswith("<3>") for line in lines)


def test_terminal_line_has_time_level_and_logger(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a journal the line says itself when it was written."""
    logs.configure("INFO")
    logging.getLogger("juniper.x").warning("late")
    assert re.fullmatch(r"\d\d:\d\d:\d\d\.\d{3} WARNING juniper\.x: late\n", capsys.readouterr().err)


@pytest.mark.parametrize(("level", "lines"), [("DEBUG", 1), ("WARNING", 1), ("ERROR", 0)])
def test_noisy_libraries_say_warnings_at_most(level: str, lines: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Their details are nobody's, and a quieter level holds for them too."""
    logs.configure(level)
    logging.getLogger("httpx").info("a request")
    logging.getLogger("httpx").warning("a problem")
    assert len(capsys.readouterr().err.splitlines()) == lines


def test_a_retry_is_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    """A service that is away would fill the log of whoever asks it every second."""
    logs.configure("INFO")
    logging.getLogger("stamina").warning("stamina.retry_scheduled")
    assert capsys.readouterr().err == ""
