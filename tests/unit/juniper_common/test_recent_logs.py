"""The records that a process keeps of its own log."""

import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from juniper_common import logs, recent_logs
from juniper_common.hiding import HIDDEN
from juniper_common.recent_logs import MAX_TEXT, RecentRecords
from juniper_common.wire.host import LogQuery

Keep = Callable[..., RecentRecords]


@pytest.fixture
def log() -> Iterator[logging.Logger]:
    """A logger that nobody else hears."""
    log = logging.getLogger("tests.recent")
    log.propagate = False
    log.setLevel("DEBUG")
    yield log
    log.handlers.clear()


@pytest.fixture
def keep(log: logging.Logger) -> Keep:
    """Puts a handler with arguments of the test on the logger."""

    def keep(**told: object) -> RecentRecords:
        records = RecentRecords(**told)  # type: ignore[arg-type]  # as the test tells
        log.addHandler(records)
        return records

    return keep


def _messages(records: RecentRecords, **query: object) -> list[str]:
    return [record.message for record in records.page(LogQuery.model_validate(query)).records]


def test_record_tells_when_where_and_for_whom(log: logging.Logger, keep: Keep) -> None:
    """The run and the request come from their context, as in the lines of the log."""
    records = keep()
    run, request = logs.run_id.set("r1"), logs.request_id.set("q1")
    log.warning("installed unit %d", 3)
    logs.run_id.reset(run)
    logs.request_id.reset(request)
    (record,) = records.page(LogQuery()).records
    assert abs((datetime.now(UTC) - record.time).total_seconds()) < 60
    assert record.model_dump(exclude={"time"}) == {
        "seq": 1,
        "level": "WARNING",
        "logger": "tests.recent",
        "message": "installed unit 3",
        "traceback": None,
        "run_id": "r1",
        "request_id": "q1",
    }


def test_newest_are_given_oldest_first(log: logging.Logger, keep: Keep) -> None:
    """As a log is read."""
    records = keep()
    for number in range(5):
        log.info("%d", number)
    assert _messages(records, limit=3) == ["2", "3", "4"]


def test_log_is_followed_without_a_gap(log: logging.Logger, keep: Keep) -> None:
    """Each page says where the next begins, though its records are of one level and it holds two."""
    records = keep()
    for number in range(5):
        log.info("%d", number)
        log.debug("between")
    told, since = [], 0
    for _ in range(4):
        page = records.page(LogQuery(since=since, level="INFO", limit=2))
        told.append([record.message for record in page.records])
        since = page.next_since
    assert told == [["0", "1"], ["2", "3"], ["4"], []]
    assert since == 10


def test_memory_is_bounded_and_what_is_missed_is_said(log: logging.Logger, keep: Keep) -> None:
    """Who comes back too late knows how much it did not see."""
    records = keep(capacity=3)
    for number in range(10):
        log.info("%d", number)
    page = records.page(LogQuery(since=4))
    assert [record.message for record in page.records] == ["7", "8", "9"]
    assert page.missed == 3
    assert records.page(LogQuery(since=7)).missed == 0


@pytest.mark.parametrize(("level", "messages"), [("DEBUG", ["d", "i", "w", "e"]), ("WARNING", ["w", "e"])])
def test_level_is_a_minimum(log: logging.Logger, keep: Keep, level: str, messages: list[str]) -> None:
    """What is worse is told too."""
    records = keep()
    log.debug("d")
    log.info("i")
    log.warning("w")
    log.error("e")
    assert _messages(records, level=level) == messages


def test_secrets_are_hidden_in_messages_and_tracebacks(log: logging.Logger, keep: Keep) -> None:
    """Whoever may read the log need not be able to call with its keys."""
    records = keep(secrets=["key", "key-2"])
    try:
        raise ValueError("key-2 is wrong")
    except ValueError:
        log.exception("called with %s and %s", "key", "key-2")
    (record,) = records.page(LogQuery()).records
    assert record.message == f"called with {HIDDEN} and {HIDDEN}"
    assert record.traceback is not None
    assert record.traceback.endswith(f"ValueError: {HIDDEN} is wrong")
    assert "key" not in record.model_dump_json()


def test_password_in_an_address_is_hidden(log: logging.Logger, keep: Keep) -> None:
    """An address from the settings may hold one."""
    records = keep()
    log.info("asking http://me:word@data:8100/v1 as user@host")
    assert _messages(records) == [f"asking http://{HIDDEN}@data:8100/v1 as user@host"]


def test_long_text_is_cut(log: logging.Logger, keep: Keep) -> None:
    """However long the lines, the memory has a bound."""
    records = keep()
    log.info("x" * 10 * MAX_TEXT)
    assert [len(message) for message in _messages(records)] == [MAX_TEXT]


def test_record_that_cannot_be_written_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    """Logging tells of it on standard error, and what logged goes on."""
    records = RecentRecords()
    for told in ({"msg": "%d", "args": ("no number",)}, {"msg": "well"}):
        records.handle(logging.makeLogRecord({"name": "tiny", "levelno": logging.INFO, "levelname": "INFO"} | told))
    assert _messages(records) == ["well"]
    assert "no number" in capsys.readouterr().err


def test_installed_one_is_found() -> None:
    """A route asks for it without being told where it is; without one there is nothing to tell."""
    root = logging.getLogger()
    handlers = root.handlers[:]
    assert RecentRecords.installed().page(LogQuery()).records == []
    try:
        recent_logs.install(["word"])
        root.warning("a word")
        assert _messages(RecentRecords.installed()) == [f"a {HIDDEN}"]
    finally:
        root.handlers[:] = handlers


def test_a_key_as_a_request_s_id_is_hidden(log: logging.Logger, keep: Keep) -> None:
    """A caller may have taken one header for the other."""
    records = keep(secrets=["s3cret"])
    request = logs.request_id.set("s3cret")
    log.warning("seen")
    logs.request_id.reset(request)
    assert records.page(LogQuery()).records[0].request_id == HIDDEN
