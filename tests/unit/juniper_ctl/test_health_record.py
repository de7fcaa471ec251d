import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from juniper_ctl.health_history import moment
from juniper_ctl.health_record import MAX_BYTES, Check, HealthRecord, Status, lasting, summary_of


def checked(at: str, status: Status = "ready", *, since: str = "", latency_ms: float | None = 1.0) -> Check:
    """A check of data at a time of 2026's first day."""
    at, since = f"2026-01-01T{at}Z", f"2026-01-01T{since or at}Z"
    return Check("data", status == "ready", status, "", latency_ms, 200, checked_at=at, since=since)


@pytest.fixture
def record(tmp_path: Path) -> HealthRecord:
    """A record whose folder is not there yet."""
    return HealthRecord(tmp_path / "health")


def test_what_is_appended_is_read_back(record: HealthRecord) -> None:
    """In order, and the last one without reading all."""
    checks = [checked("10:00:00"), checked("10:00:30", "away", latency_ms=None)]
    for each in checks:
        record.append(each)
    assert list(record.checks("data")) == checks
    assert record.last("data") == checks[-1]
    assert record.last("cascor") is None
    assert list(record.checks("data", since=datetime(2026, 1, 1, 10, 0, 30, tzinfo=UTC))) == checks[1:]


@pytest.mark.parametrize("torn", [b'{"service": "da', b"\0" * 300, b"{}", b"[1]", b'{"checked_at": "soon"}'])
def test_a_line_that_a_power_cut_tore_takes_no_other_with_it(record: HealthRecord, torn: bytes) -> None:
    """The lines around it are read, and the one before it is the last."""
    before, after = checked("10:00:00"), checked("10:00:30")
    record.append(before)
    with (record.folder / "data.jsonl").open("ab") as file:
        file.write(torn)
    assert record.last("data") == before
    record.append(after)
    assert list(record.checks("data")) == [before, after]


def test_a_line_of_a_later_release_is_read(record: HealthRecord) -> None:
    """But for what is new in it."""
    check = checked("10:00:00")
    record.append(check)
    path = record.folder / "data.jsonl"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"load": 1.5}) + "\n")
    assert record.last("data") == check


def test_the_record_is_bounded(record: HealthRecord) -> None:
    """A full file is put aside in place of the one before; what it says is still known."""
    path, older = record.folder / "data.jsonl", record.folder / "data.jsonl.1"
    record.append(checked("09:00:00"))
    for at in ("10:00:00", "11:00:00"):
        with path.open("ab") as file:
            file.write(b" " * MAX_BYTES + b"\n")
        record.append(checked(at))
        assert not path.exists()
        assert record.last("data") == checked(at)
    assert older.stat().st_size < 2 * MAX_BYTES
    record.append(checked("12:00:00"))
    assert list(record.checks("data")) == [checked("11:00:00"), checked("12:00:00")]


def test_since_is_kept_as_long_as_it_is_so() -> None:
    """Not over a time in which nobody asked: the service may have been stopped."""
    before = checked("10:00:30", since="10:00:00")
    assert lasting(checked("10:01:00"), before).since == before.since
    for now in (checked("10:01:00", "away"), checked("11:00:00")):
        assert lasting(now, before) == now
    assert lasting(before, None) == before


def test_an_outage_that_lasts_has_no_end() -> None:
    """Its length is what the record saw of it."""
    checks = [checked("10:00:00"), checked("10:00:30", "away"), checked("10:01:00", "not_ready")]
    outage = summary_of(checks).last_outage
    assert outage is not None
    assert (outage.began, outage.ended, outage.length_s, outage.status) == (checks[1].checked_at, None, 30, "away")


def test_an_outage_does_not_go_on_while_nobody_asks() -> None:
    """Whoever stops a broken service for the night has no outage of a night."""
    checks = [checked("10:00:00", "away"), checked("10:00:30", "away"), checked("20:00:00")]
    outage = summary_of(checks).last_outage
    assert outage is not None
    assert (outage.ended, outage.length_s) == (checks[1].checked_at, 30)


def test_the_slowest_answer_is_one_that_came() -> None:
    """Where none came there is none."""
    checks = [checked("10:00:00", latency_ms=3), checked("10:00:30", latency_ms=7), checked("10:01:00", "away")]
    summary = summary_of(checks)
    assert (summary.slowest_ms, summary.slowest_at) == (7, checks[1].checked_at)
    assert summary_of([checked("10:00:00", "away", latency_ms=None)]).slowest_ms is None


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("30min", "2026-01-01T11:30:00+00:00"),
        ("-2h", "2026-01-01T10:00:00+00:00"),
        ("1d", "2025-12-31T12:00:00+00:00"),
        ("2026-01-01T09:00:00+01:00", "2026-01-01T08:00:00+00:00"),
    ],
)
def test_a_time_is_read_as_a_person_gives_it(text: str, meant: str) -> None:
    """How long ago, or when."""
    assert moment(text, datetime(2026, 1, 1, 12, tzinfo=UTC)) == datetime.fromisoformat(meant)
