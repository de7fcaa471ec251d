"""Asks services whether they are well, in bounded time whatever answers: one line each, and kept if so wished."""

import os
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import partial

from juniper_ctl import systemctl
from juniper_ctl.env_file import environment_of
from juniper_ctl.errors import ControlError, Exit
from juniper_ctl.health_record import Check, HealthRecord, Status, lasting
from juniper_ctl.locations import Locations
from juniper_ctl.progress import print_json, program_as_typed
from juniper_ctl.service_api import Answer, ServiceApi
from juniper_ctl.services import Service

ANSWER_S = 10.0
"""How long an answer may take: a port that is kept through a restart answers when the service is there again."""
PATIENCE_S = 10.0
"""How long a recorded check bears with nobody listening: as long as a restart after a crash takes."""
AGAIN_S = 0.5
MAX_WHY = 300

_FORMAT = "{:<8} {:<10} {:>9}  {:<20}  {}"
HEADER = _FORMAT.format("SERVICE", "STATUS", "ANSWER", "SINCE", "WHY")


def health(services: Sequence[Service], *, as_json: bool) -> Exit:
    """Ask now and print what each says.

    Raises:
        ControlError: nobody answers, and no manager does or nothing is installed.
    """
    record = HealthRecord.of(os.environ)
    with ThreadPoolExecutor() as pool:
        asked = list(pool.map(_asked, services))
    checks = [lasting(each, record.last(each.service)) for each in _as_systemd_has_it(services, asked)]
    verdict = verdict_on(checks)
    if as_json:
        print_json({"verdict": verdict.name.lower(), "services": [asdict(each) for each in checks]})
        return verdict
    print(HEADER)
    for each in checks:
        latency = "-" if each.latency_ms is None else f"{each.latency_ms:.1f} ms"
        print(_FORMAT.format(each.service, each.status, latency, each.since, each.why).rstrip())
    if verdict is not Exit.OK:
        print(f"next: {program_as_typed()} {_next_command(checks)}")
    return verdict


def _asked(service: Service) -> Check:
    """How it is; what is wrong with one's settings must not hide how the others are."""
    try:
        return check(environment_for, service)
    except ControlError as error:
        return _check(service, "unknown", error.message)


def record_health(services: Sequence[Service]) -> Exit:
    """Ask now, keep the answers and print each as a line of JSON: what the units' timers run.

    Returns FAILED where one is not ok, so that systemd alerts.
    """
    record = HealthRecord.of(os.environ)
    is_ok = True
    for service in services:
        seen = check(environment_for, service, patience_s=PATIENCE_S)
        seen = lasting(seen, record.last(service.name))
        # The journal takes the priority off: `juniper-ctl logs` shows what was found, and not each check.
        print(f"{'' if seen.ok else '<4>'}{seen.line()}", flush=True)
        record.append(seen)
        is_ok = is_ok and seen.ok
    return Exit.OK if is_ok else Exit.FAILED


def environment_for(service: Service) -> Mapping[str, str]:
    """The settings of a service. In a unit's sandbox its files are hidden, and systemd has read them."""
    return {**os.environ, **environment_of(service, Locations.of(os.environ))}


def check(
    environment_for: Callable[[Service], Mapping[str, str]],
    service: Service,
    *,
    patience_s: float = 0,
    answer_s: float = ANSWER_S,
) -> Check:
    """How a service is, at the latest after `patience_s` and `answer_s`.

    Raises:
        ControlError: a setting is wrong.
    """
    environment = environment_for(service)
    api = ServiceApi.keyless(environment, service, Locations.of(environment), answer_s)
    deadline = time.monotonic() + patience_s
    while True:
        began = time.perf_counter()
        try:
            answer = in_time(partial(api.get, "/v1/health/ready"), answer_s)
        except TimeoutError:
            return _check(service, "away", f"{api.address} does not answer within {answer_s:g} s")
        except OSError as error:
            if time.monotonic() < deadline:
                time.sleep(AGAIN_S)
                continue
            listens = "nobody listens on" if isinstance(error, ConnectionRefusedError) else f"{error}, on"
            return _check(service, "away", f"{listens} {api.address}")
        latency_ms = round((time.perf_counter() - began) * 1e3, 1)
        status, ok, why = judged(service, answer)
        return _check(service, status, why, ok=ok, latency_ms=latency_ms, http_status=answer.status)


def judged(service: Service, answer: Answer) -> tuple[Status, bool, str]:
    """What an answer says: status, whether it is ok, and why not.

    Degraded is ok where only other services are lacking: each has a check of its own, and may be stopped on purpose.
    """
    status = answer.text("status")
    if status not in ("ready", "degraded", "not_ready") or answer.text("service") != service.command:
        return "refuses", False, f"no answer of {service.command}: {answer.complaint()}"
    dependencies = answer.body.get("dependencies")
    names = sorted(dependencies) if isinstance(dependencies, dict) else []
    lacking = [name for name in names if answer.text("dependencies", name, "status") == "unhealthy"]
    why = "; ".join(f"{name}: {answer.text('dependencies', name, 'message')}" for name in lacking)
    if status == "degraded":
        return "degraded", bool(lacking) and all(name.startswith("juniper_") for name in lacking), why
    return ("ready", True, "") if status == "ready" else ("not_ready", False, why)


def verdict_on(checks: Sequence[Check]) -> Exit:
    """One word for all: failed if any is not as it should be, stopped if all are, degraded if any lacks something.

    A wrong setting goes before all that: it is what has to be mended first.
    """
    statuses = {each.status for each in checks}
    if "unknown" in statuses:
        return Exit.CONFIGURATION
    if statuses & {"not_ready", "away", "refuses"}:
        return Exit.FAILED
    if statuses == {"stopped"}:
        return Exit.STOPPED
    return Exit.OK if statuses == {"ready"} else Exit.DEGRADED


def _next_command(checks: Sequence[Check]) -> str:
    troubled = [each.service for each in checks if each.status in ("not_ready", "away", "refuses")]
    stopped = [each.service for each in checks if each.status == "stopped"]
    if any(each.status == "unknown" for each in checks):
        return "env check"
    if troubled:
        return f"logs {troubled[0]}"
    if stopped:
        return "start" if len(stopped) == len(checks) else f"start {' '.join(stopped)}"
    return f"logs {next(each.service for each in checks if each.status == 'degraded')}"


def _as_systemd_has_it(services: Sequence[Service], checks: Sequence[Check]) -> list[Check]:
    """Those that are away with what systemd knows of them; without a manager a demo in the foreground may be asked."""
    away = [each.status == "away" for each in checks]
    if not any(away):
        return list(checks)
    try:
        states = systemctl.show([service.unit for service in services])
    except ControlError:
        if all(away):
            raise
        return list(checks)
    if all(away) and not any(state.is_installed for state in states):
        raise systemctl.not_installed()
    return [
        each
        if each.status != "away"
        else replace(each, status="stopped", why="")
        if state.active == "inactive"
        else replace(each, why=f"{each.why}; systemd has it {state.active} ({state.sub})")
        for each, state in zip(checks, states, strict=True)
    ]


def _check(
    service: Service,
    status: Status,
    why: str,
    *,
    ok: bool = False,
    latency_ms: float | None = None,
    http_status: int | None = None,
) -> Check:
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    # What answers may be anything: no line of its own making, nor an endless one.
    plain = "".join(character if character.isprintable() else " " for character in why)[:MAX_WHY]
    return Check(service.name, ok, status, plain, latency_ms, http_status, checked_at=now, since=now)


def in_time(ask: Callable[[], Answer], timeout_s: float) -> Answer:
    """The answer, or TimeoutError: a socket's own timeout begins anew with each byte that drips in."""
    outcome: queue.SimpleQueue[Answer | OSError] = queue.SimpleQueue()

    def run() -> None:
        try:
            outcome.put(ask())
        except OSError as error:
            outcome.put(error)

    threading.Thread(target=run, daemon=True).start()
    try:
        came = outcome.get(timeout=timeout_s)
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(came, OSError):
        raise came
    return came
