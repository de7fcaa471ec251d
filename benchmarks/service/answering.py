"""How soon the service answers while it trains: its status, and commands that the trainer has to obey."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from .figures import Line, below, percentile
from .running import Service
from .work import large

MAX_STATUS_MS = 5.0
MAX_COMMAND_MS = 200.0
BETWEEN_STATUSES_S = 0.002  # a caller that never rests would measure itself
COMMANDS = ("pause", "resume", "stop")


@dataclass(frozen=True)
class Answering:
    """Milliseconds of each call."""

    status_ms: Sequence[float]
    command_ms: Mapping[str, Sequence[float]]

    def lines(self) -> Iterator[Line]:
        """For the table."""
        yield _line("status while training at full speed, p99", self.status_ms, 0.99, MAX_STATUS_MS)
        for command, times_ms in self.command_ms.items():
            yield _line(f"{command} on 10,000 × 64, most", times_ms, 1.0, MAX_COMMAND_MS)


def measure_answering(service: Service, *, quick: bool) -> Answering:
    """Ask for the status during one run; then start, pause, resume and stop again and again."""
    address = urlsplit(service.address)
    connection = http.client.HTTPConnection(address.hostname or "", address.port)
    request = large().request()
    service.client.start(request)
    status_ms = []
    for _ in range(200 if quick else 3_000):
        status_ms.append(_call_ms(connection, "GET", "/v1/training/status"))
        time.sleep(BETWEEN_STATUSES_S)
    service.client.command("stop")
    command_ms: dict[str, list[float]] = {command: [] for command in COMMANDS}
    for number in range(3 if quick else 30):
        service.client.start(request)
        # At another moment of its work each time, the first of them when it has just begun.
        time.sleep(0.013 * number)
        for command in COMMANDS:
            command_ms[command].append(_call_ms(connection, "POST", f"/v1/training/{command}"))
            time.sleep(0.05)
    connection.close()
    return Answering(status_ms, command_ms)


def _call_ms(connection: http.client.HTTPConnection, method: str, path: str) -> float:
    """Milliseconds from the request to its whole answer. Raises RuntimeError where that is no success."""
    began = time.perf_counter()
    connection.request(method, path)
    response = connection.getresponse()
    body = response.read()
    took_ms = 1e3 * (time.perf_counter() - began)
    if response.status != 200:
        raise RuntimeError(f"{method} {path}: {response.status} {body.decode()}")
    return took_ms


def _line(what: str, times_ms: Sequence[float], share: float, limit_ms: float) -> Line:
    aside = f" (median {percentile(times_ms, 0.5):.3g} ms, of {len(times_ms)})"
    return below(what, percentile(times_ms, share), limit_ms, "ms", aside=aside)
