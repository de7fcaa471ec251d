"""Prints what the record of health checks comes to, a line for each service."""

import os
import re
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

from juniper_ctl.errors import ControlError, Exit
from juniper_ctl.health_record import HealthRecord, Summary, summary_of
from juniper_ctl.progress import print_json
from juniper_ctl.services import Service

_LENGTHS = {"s": "seconds", "min": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_FORMAT = "{:<8} {:>8} {:>8}  {:<33}  {}"
HEADER = _FORMAT.format("SERVICE", "CHECKS", "OK", "SLOWEST", "LAST OUTAGE")


def history(services: Sequence[Service], *, since: datetime | None, as_json: bool) -> Exit:
    """Print share of ok, last outage and slowest answer.

    Raises:
        ControlError: there is no check of these services since then.
    """
    record = HealthRecord.of(os.environ)
    recorded = (list(record.checks(service.name, since=since)) for service in services)
    summaries = [summary_of(checks) for checks in recorded if checks]
    if not summaries:
        raise ControlError(f"no health check is recorded in {record.folder}", next_command="juniper-ctl health")
    if as_json:
        print_json({"services": [asdict(summary) for summary in summaries]})
        return Exit.OK
    print(HEADER)
    for summary in summaries:
        print(_line(summary))
    return Exit.OK


def moment(text: str, now: datetime | None = None) -> datetime:
    """A time as a person gives it: `30min`, `12h` or `7d` ago, or a date or time of this host as in 2026-01-31T12:30.

    Raises:
        ValueError: it is neither.
    """
    ago = re.fullmatch(r"-?([0-9]{1,6})(s|min|h|d|w)", text)
    if ago is None:
        return datetime.fromisoformat(text).astimezone(UTC)
    return (now or datetime.now(UTC)) - timedelta(**{_LENGTHS[ago[2]]: int(ago[1])})


def _line(summary: Summary) -> str:
    outage = summary.last_outage
    told = "none"
    if outage is not None:
        told = f"{outage.began} for {outage.length_s:.0f} s: {outage.status}"
        told += f", {outage.why}" if outage.why else ""
        told += "" if outage.ended else "; it lasts"
    slowest = "-" if summary.slowest_ms is None else f"{summary.slowest_ms:.1f} ms at {summary.slowest_at}"
    # Rounded down: 100 % is said of a record without a failure alone.
    share = f"{summary.ok * 10_000 // summary.checks / 100:.2f} %"
    return _FORMAT.format(summary.service, summary.checks, share, slowest, told)
