"""Tells of units that failed, once and not at every repeat, and of those that are well again.

systemd starts juniper-alert@UNIT each time a unit fails, and juniper-recovered@UNIT each time that it does its work
while an alert is open. What is open stands in a file for each unit.
"""

import json
import os
import subprocess
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path

from juniper_ctl.errors import Exit
from juniper_ctl.locations import Locations
from juniper_ctl.progress import print_json, program_as_typed
from juniper_ctl.release import write_atomically

REPEAT_S = 3600
"""The same failure of the same unit is told again after this long, with how often it was there."""
SETTLED_S = 120
"""Well again is who did not fail for this long: else each restart of a crashing service would be told, and twice."""
PROGRAM_S = 30
"""How long an operator's own program may take."""


@dataclass(frozen=True, slots=True)
class Alert:
    """A unit that failed and was not told to be well since. Times are seconds of the epoch."""

    unit: str
    how: str
    count: int
    first: float
    last: float
    told: float
    well: float | None = None
    """When it did its work again, for the first time since the last failure."""


def after_failure(before: Alert | None, unit: str, how: str, now: float) -> tuple[Alert, bool]:
    """What is open after one more failure, and whether to tell of it."""
    if before is None:
        return Alert(unit, how, 1, first=now, last=now, told=now), True
    # A clock that was set back must not silence it.
    is_told = how != before.how or not 0 <= now - before.told < REPEAT_S
    alert = replace(before, how=how, count=before.count + 1, last=now, well=None)
    return (replace(alert, told=now) if is_told else alert), is_told


def after_success(before: Alert, now: float) -> tuple[Alert, bool]:
    """What is known after the unit did its work, and whether it is well again."""
    well = now if before.well is None else before.well
    return replace(before, well=well), not 0 <= now - before.last < SETTLED_S


def failed(unit: str, environment: Mapping[str, str]) -> Exit:
    """Count a failure and tell of it, unless it was told already: for juniper-alert@.service."""
    names = {"result": "SERVICE_RESULT", "code": "EXIT_CODE", "status": "EXIT_STATUS"}
    how = " ".join(f"{name}={environment.get(f'MONITOR_{variable}', '')}" for name, variable in names.items())
    path = _path(unit, environment)
    alert, is_told = after_failure(_read(path), unit, how, time.time())
    if is_told:
        often = f" count={alert.count} since={_iso(alert.first)}" if alert.count > 1 else ""
        invocation = environment.get("MONITOR_INVOCATION_ID", "")
        _print(3, line := f"ALERT unit={unit} {how} invocation={invocation}{often}")
    # Only now: an alert that could not be written down was told at least.
    _write(path, alert)
    if is_told:
        _run_program(line, environment)
    return Exit.OK


def recovered(unit: str, environment: Mapping[str, str]) -> Exit:
    """Tell, once, that a unit is well again: for juniper-recovered@.service."""
    path = _path(unit, environment)
    before = _read(path)
    # A check that was stopped with its service is no failure, but it saw nobody well either.
    is_stopped = environment.get("MONITOR_EXIT_CODE", "exited") != "exited"
    if before is None or is_stopped:
        return Exit.OK
    alert, is_over = after_success(before, time.time())
    if not is_over:
        _write(path, alert)
        return Exit.OK
    length_s = max(0, (alert.well or alert.last) - alert.first)
    line = f"RECOVERED unit={unit} healthy again after {length_s:.0f} s, count={alert.count} since={_iso(alert.first)}"
    _print(5, line)
    path.unlink()
    _run_program(line, environment)
    return Exit.OK


def alerts(*, as_json: bool) -> Exit:
    """Print what is open; FAILED where something is."""
    folder = Locations.of(os.environ).state_of("alerts")
    found = [alert for path in sorted(folder.glob("*.json")) if (alert := _read(path)) is not None]
    verdict = Exit.FAILED if found else Exit.OK
    if as_json:
        print_json({"verdict": verdict.name.lower(), "alerts": [_for_programs(each) for each in found]})
        return verdict
    if not found:
        print("nothing has failed that is not well again")
        return verdict
    form = "{:<26} {:>6}  {:<20}  {:<20}  {}"
    print(form.format("UNIT", "COUNT", "SINCE", "LAST", "HOW"))
    for each in found:
        print(form.format(each.unit, each.count, _iso(each.first), _iso(each.last), each.how))
    print(f"next: {program_as_typed()} health")
    return verdict


def _for_programs(alert: Alert) -> dict[str, object]:
    moments = ("first", "last", "told", "well")
    return {
        name: _iso(value) if name in moments and value is not None else value for name, value in asdict(alert).items()
    }


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _path(unit: str, environment: Mapping[str, str]) -> Path:
    return Locations.of(environment).own_state_of("alerts", environment) / f"{unit}.json"


def _read(path: Path) -> Alert | None:
    """None too where the file is no alert any more, or cannot be read: then the failure is told anew."""
    try:
        value = json.loads(path.read_bytes())
        return Alert(**{field.name: value[field.name] for field in fields(Alert)})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _write(path: Path, alert: Alert) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_atomically(path, json.dumps(asdict(alert)) + "\n", mode=0o600)


def _print(priority: int, line: str) -> None:
    # The journal takes the priority off; whoever runs it on a terminal is no operator's alarm.
    print(f"<{priority}>{line}", flush=True)


def _run_program(line: str, environment: Mapping[str, str]) -> None:
    """Give the line to JUNIPER_ALERT_PROGRAM, as its only argument. The journal has it already, and what goes wrong."""
    program = environment.get("JUNIPER_ALERT_PROGRAM")
    if not program:
        return
    try:
        ended = subprocess.run([program, line], timeout=PROGRAM_S, stdin=subprocess.DEVNULL, check=False).returncode
        why = f"it ended with {ended}" if ended else ""
    except (OSError, subprocess.TimeoutExpired) as error:
        why = str(error)
    if why:
        _print(3, f"{program} was not told: {why}")
