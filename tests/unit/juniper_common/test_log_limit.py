"""How many records of one place in the program reach the log."""

import logging
from collections.abc import Callable, Iterator

import pytest

from juniper_common.log_limit import BURST, PER_S, TELL_S, LimitedHandler


class _Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    def messages(self) -> list[str]:
        messages = [record.getMessage() for record in self.records]
        self.records.clear()
        return messages


class _Time:
    """Passes when the test says so; what is due by then is called."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self._due: list[tuple[float, Callable[[], None]]] = []

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        self._due.append((self.now_s + seconds, call))

    def passes(self, seconds: float) -> None:
        self.now_s += seconds
        due, self._due = self._due, []
        for at_s, call in due:
            if at_s <= self.now_s:
                call()
            else:
                self._due.append((at_s, call))


@pytest.fixture
def out() -> _Kept:
    """Where the records go."""
    return _Kept()


@pytest.fixture
def time() -> _Time:
    """It stands."""
    return _Time()


@pytest.fixture
def log(out: _Kept, time: _Time) -> Iterator[logging.Logger]:
    """A logger with the limit."""
    log = logging.getLogger("tests.limited")
    log.propagate = False
    log.addHandler(LimitedHandler(out, lambda: time.now_s, time.later))
    yield log
    for handler in log.handlers[:]:
        log.removeHandler(handler)
        handler.close()


def _flood(log: logging.Logger, n: int, level: int = logging.WARNING) -> None:
    for number in range(n):
        log.log(level, "refused %d", number)


@pytest.mark.parametrize("level", [logging.WARNING, logging.CRITICAL])
def test_a_flood_is_cut_and_told(log: logging.Logger, out: _Kept, time: _Time, level: int) -> None:
    """The first ones are there; of the others it is said, once, how many they were."""
    _flood(log, 10_000, level)
    assert out.messages() == [f"refused {number}" for number in range(BURST)]
    time.passes(TELL_S)
    (summary,) = out.records
    assert summary.getMessage() == f"{10_000 - BURST} more lines like this one were left out: refused %d"
    assert (summary.name, summary.levelno, summary.funcName) == ("tests.limited", level, "_flood")
    out.records.clear()
    time.passes(TELL_S)
    assert out.messages() == []


def test_another_line_of_the_program_is_not_held_back(log: logging.Logger, out: _Kept) -> None:
    """However loud the first one is."""
    _flood(log, BURST + 1)
    log.error("lost")
    assert out.messages()[BURST:] == ["lost"]


def test_messages_that_differ_each_time_are_one_flood(log: logging.Logger, out: _Kept) -> None:
    """A library may write what callers say into its messages."""
    for number in range(BURST + 5):
        log.warning(f"no page {number}")
    assert len(out.records) == BURST


def test_who_was_quiet_may_speak_again(log: logging.Logger, out: _Kept, time: _Time) -> None:
    """Some records a second."""
    _flood(log, BURST)
    out.records.clear()
    time.passes(0.5)
    _flood(log, BURST)
    assert len(out.records) == PER_S / 2


def test_what_was_left_out_is_told_at_the_end(log: logging.Logger, out: _Kept) -> None:
    """A process that ends first says it."""
    _flood(log, BURST + 2)
    out.records.clear()
    log.handlers[0].close()
    assert out.messages() == ["2 more lines like this one were left out: refused %d"]
