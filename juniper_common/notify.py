"""Tells systemd, or whoever listens on `$NOTIFY_SOCKET`, that the process is ready, well, or about to stop."""

import asyncio
import logging
import os
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import sdnotify

READY_WAIT_S = 5.0
"""How long a manager that does not read is waited for with READY, and with what else must not be lost."""

log = logging.getLogger(__name__)

WellnessCheck = Callable[[], str | None]
"""Says what is wrong with one part of the process, or None."""


class Notifier:
    """The sd_notify protocol. Without a `$NOTIFY_SOCKET` every call does nothing.

    sdnotify encodes latin-1 and loses what does not fit: so text is made ASCII here, what is lost is logged, and READY
    travels in a datagram of its own. Nor does it hand over sockets: that is done here too.

    Made before the app, one can be handed to the app and to `server.serve`: the service then speaks for itself.
    """

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._socket = sdnotify.SystemdNotifier(debug=True) if os.environ.get("NOTIFY_SOCKET") else None
        self._clock_s = clock_s
        self._pinged_at_s: float | None = None
        self.has_status = False
        """Whether a status was told: then what is shown is the service's own, and the server adds none."""

    def ready(self) -> None:
        """The socket is bound and the self-check passed."""
        self._send("READY=1", wait_s=READY_WAIT_S)

    def status(self, text: str) -> None:
        """One line that `systemctl status` shows."""
        self.has_status = True
        self._send("STATUS=" + " ".join(text.encode("ascii", "replace").decode().split()))

    def extend_timeout(self, seconds: float) -> None:
        """Whatever the manager waits for now, a start or a stop, may take so much longer from now on.

        To be repeated while the work goes on: a start that hangs is then still noticed.
        """
        self._send(f"EXTEND_TIMEOUT_USEC={int(seconds * 1e6)}")

    def stopping(self) -> None:
        """The process ends of its own will."""
        self._send("STOPPING=1")

    def alive(self) -> None:
        """The watchdog's ping."""
        self._pinged_at_s = self._clock_s()
        self._send("WATCHDOG=1")

    def ping_age_s(self) -> float | None:
        """Seconds since the watchdog's last ping; None before the first, as in a process without a watchdog."""
        return None if self._pinged_at_s is None else self._clock_s() - self._pinged_at_s

    def keep(self, name: str, listener: socket.socket) -> None:
        """The manager holds the socket open as well, and hands it to the next process of the service."""
        # FDPOLL=0: else the manager drops it at an error of it, and a listening socket may have a passing one.
        self._send(f"FDSTORE=1\nFDNAME={name}\nFDPOLL=0", wait_s=READY_WAIT_S, hands_over=listener)

    def forget(self, name: str) -> None:
        """The manager closes what it keeps under that name."""
        self._send(f"FDSTOREREMOVE=1\nFDNAME={name}", wait_s=READY_WAIT_S)

    def close(self) -> None:
        """Close the socket."""
        if self._socket is not None:
            self._socket.socket.close()

    def _send(self, state: str, wait_s: float = 0.0, hands_over: socket.socket | None = None) -> None:
        if self._socket is None:
            return
        try:
            # Who listens may be slow to read: the event loop must not wait for that.
            self._socket.socket.settimeout(wait_s)
            if hands_over is None:
                self._socket.notify(state)
            else:
                socket.send_fds(self._socket.socket, [state.encode("ascii")], [hands_over.fileno()])
        except BlockingIOError:
            log.debug("the manager does not read, and was not told %s", state)
        except OSError as error:
            # Who listened may be gone; the process must be able to stop in order all the same.
            log.error("nobody was told %s: %s", state, error)


@dataclass(frozen=True)
class Watchdog:
    """Pings systemd twice per watchdog interval for as long as the process is well.

    Well means: the event loop is late by less than a quarter of the interval, and no check objects. Otherwise the
    reason goes out as STATUS and no ping follows, so that systemd ends the process and starts it anew.
    """

    notifier: Notifier
    interval_s: float
    checks: Sequence[WellnessCheck] = ()

    @classmethod
    def from_environment(cls, notifier: Notifier, checks: Sequence[WellnessCheck] = ()) -> Self | None:
        """The watchdog that systemd asked this process for, if it did."""
        interval_us = int(os.environ.get("WATCHDOG_USEC") or 0)
        if interval_us <= 0 or os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
            return None
        return cls(notifier, interval_us / 1e6, checks)

    async def run(self) -> None:
        """Ping until something is wrong."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + self.interval_s / 2
            await asyncio.sleep(self.interval_s / 2)
            if reason := self._problem(late_s=loop.time() - due):
                log.critical("the watchdog is no longer answered: %s", reason)
                self.notifier.status(reason)
                return
            self.notifier.alive()

    def _problem(self, late_s: float) -> str | None:
        if late_s >= self.interval_s / 4:
            return f"the event loop was late by {late_s:.1f} s"
        try:
            return next((reason for check in self.checks if (reason := check())), None)
        except Exception as error:
            log.exception("a check of the watchdog failed")
            return f"a check failed: {error!r}"
