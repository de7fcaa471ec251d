"""What systemd says of the user's units on a host; testinfra's `Service` knows system units alone."""

import time
from collections.abc import Callable

from testinfra.host import Host

TIMEOUT_S = 60


def value(host: Host, unit: str, name: str) -> str:
    """One property of a unit."""
    return str(host.check_output("systemctl --user show %s --property=%s --value", unit, name)).strip()


def number(host: Host, unit: str, name: str) -> int:
    """One property that is a number."""
    return int(value(host, unit, name))


def is_running(host: Host, unit: str) -> bool:
    """It said READY, and lives."""
    return value(host, unit, "SubState") == "running"


def eventually(claim: Callable[[], bool], what: str) -> None:
    """Wait until the claim holds; long before the time is over, unless something is broken."""
    deadline = time.monotonic() + TIMEOUT_S
    while not claim():
        assert time.monotonic() < deadline, f"{what}: not within {TIMEOUT_S} s"
        time.sleep(0.2)


def kill_until_settled(host: Host, unit: str) -> None:
    """Kill its process, and wait until there is another, or systemd has given the unit up."""
    process = number(host, unit, "MainPID")
    host.check_output("systemctl --user kill --kill-whom=main --signal=KILL %s", unit)

    def is_settled() -> bool:
        is_another = is_running(host, unit) and number(host, unit, "MainPID") != process
        return is_another or value(host, unit, "ActiveState") == "failed"

    eventually(is_settled, f"{unit} is up again, or down for good")
