"""The record of health checks: a file of JSON lines for each service, which a power cut may leave torn."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Literal

from juniper_ctl.locations import Locations

Status = Literal["ready", "degraded", "not_ready", "away", "refuses", "stopped", "unknown"]
"""Away: nobody answers. Refuses: something does, but not as that service. Stopped: away, and systemd has it so.

Unknown: a setting is wrong that says where to ask; it stands in no record.
"""

MAX_BYTES = 4_000_000
"""A week and more of one service; then the file becomes `SERVICE.jsonl.1`, in place of the one before."""
GAP_S = 120.0
"""Checks further apart than this, a few of the timer's turns, say nothing of the time between them."""
_TAIL_BYTES = 8192


@dataclass(frozen=True, slots=True)
class Check:
    """How a service was at one moment; times are UTC, as in 2026-01-31T12:00:00Z."""

    service: str
    ok: bool
    """Nobody needs to look: it is ready, or lacks only services that have a check of their own."""
    status: Status
    why: str
    latency_ms: float | None
    http_status: int | None
    checked_at: str
    since: str
    """When the status was seen first, of those checks that said the same up to this one."""

    def line(self) -> str:
        """As it stands in the record and in the journal."""
        return json.dumps(asdict(self))

    @classmethod
    def of_line(cls, line: bytes) -> "Check | None":
        """What a line says; None where it is no whole one."""
        try:
            value = json.loads(line)
            datetime.fromisoformat(value["checked_at"])
            return cls(**{field.name: value[field.name] for field in fields(cls)})
        except (ValueError, TypeError, KeyError):
            return None


def lasting(check: Check, before: Check | None) -> Check:
    """The check with the time since when it is so, where the one before says the same."""
    if before is None or before.status != check.status or seconds(before.checked_at, check.checked_at) > GAP_S:
        return check
    return replace(check, since=before.since)


def seconds(earlier: str, later: str) -> float:
    """How long from one time to the other."""
    return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds()


@dataclass(frozen=True, slots=True)
class HealthRecord:
    """The files in one folder."""

    folder: Path

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "HealthRecord":
        """Where the units keep it: they are told, whoever asks looks there."""
        return cls(Locations.of(environment).own_state_of("health", environment))

    def append(self, check: Check) -> None:
        """Add a line; one that tells of a change is on the disk when this returns."""
        path = self._path(check.service)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with path.open("a+b") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - 1))
            # A line that was torn by a power cut is ended, else it would take this one with it.
            is_torn = file.read(1) not in (b"", b"\n")
            file.write(b"\n" * is_torn + check.line().encode() + b"\n")
            file.flush()
            if check.since == check.checked_at:
                os.fsync(file.fileno())
        if size >= MAX_BYTES:
            path.replace(path.with_suffix(".jsonl.1"))

    def last(self, service: str) -> Check | None:
        """The last check of a service that can be read."""
        path = self._path(service)
        for each in (path, path.with_suffix(".jsonl.1")):
            if each.is_file():
                with each.open("rb") as file:
                    file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
                    lines = file.read().split(b"\n")
                for line in reversed(lines):
                    if (check := Check.of_line(line)) is not None:
                        return check
        return None

    def checks(self, service: str, *, since: datetime | None = None) -> Iterator[Check]:
        """All of them that can be read, the oldest first."""
        path = self._path(service)
        for each in (path.with_suffix(".jsonl.1"), path):
            if not each.is_file():
                continue
            with each.open("rb") as file:
                for line in file:
                    check = Check.of_line(line)
                    if check and (since is None or datetime.fromisoformat(check.checked_at) >= since):
                        yield check

    def _path(self, service: str) -> Path:
        return self.folder / f"{service}.jsonl"


@dataclass(frozen=True, slots=True)
class Outage:
    """Checks in a row that were not ok."""

    began: str
    ended: str | None
    """None: it lasts, as far as the record goes."""
    length_s: float
    """Up to the check that was ok again or, without one soon after, to the last one that was not."""
    status: Status
    why: str
    """As at its beginning."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What a service's checks come to."""

    service: str
    checks: int
    ok: int
    first: str
    last: str
    last_outage: Outage | None
    slowest_ms: float | None
    slowest_at: str | None


def summary_of(checks: Sequence[Check]) -> Summary:
    """Of one service's checks, of which there is at least one."""
    answered = [each for each in checks if each.latency_ms is not None]
    slowest = max(answered, key=lambda each: each.latency_ms or 0, default=None)
    return Summary(
        service=checks[0].service,
        checks=len(checks),
        ok=sum(each.ok for each in checks),
        first=checks[0].checked_at,
        last=checks[-1].checked_at,
        last_outage=_last_outage(checks),
        slowest_ms=slowest.latency_ms if slowest else None,
        slowest_at=slowest.checked_at if slowest else None,
    )


def _last_outage(checks: Sequence[Check]) -> Outage | None:
    bad = [index for index, each in enumerate(checks) if not each.ok]
    if not bad:
        return None
    first = end = bad[-1]
    while first > 0 and not checks[first - 1].ok:
        first -= 1
    ended = None
    if end + 1 < len(checks):
        is_soon = seconds(checks[end].checked_at, checks[end + 1].checked_at) <= GAP_S
        ended = checks[end + is_soon].checked_at
    began = checks[first]
    return Outage(
        began=began.checked_at,
        ended=ended,
        length_s=seconds(began.checked_at, ended or checks[end].checked_at),
        status=began.status,
        why=began.why,
    )
