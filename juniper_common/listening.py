"""The socket that a service listens on. The manager holds it open too, so that it outlives the process that bound it.

Whoever calls while the service is restarted, or was killed, waits for the next process instead of being refused. Once
the service is stopped, the manager lets go of the socket and the port is closed. This is systemd's file-descriptor
store; where nothing of the kind is there, every process binds a socket of its own.
"""

import errno
import logging
import os
import socket
import sys
from typing import NoReturn

from juniper_common.notify import Notifier
from juniper_common.settings import EXIT_CONFIGURATION, ServiceSettings

EXIT_TEMPORARY = 75
"""sysexits.h EX_TEMPFAIL: systemd tries again, since whoever holds the port may leave."""

_KEPT_NAME = "listen"
_FIRST_DESCRIPTOR = 3
"""sd_listen_fds(3): what the manager hands over begins after standard error."""

log = logging.getLogger(__name__)


def listen(settings: ServiceSettings, notifier: Notifier) -> socket.socket:
    """The socket at the address that the settings say: the one that was kept for this process, or a new one.

    Ends the process with 75 where the port is taken, with 78 where the address is none of this host's.
    """
    host, port = settings.bind
    service = f"juniper-{settings.service_name()}"
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = _kept(host, port, family, notifier)
        if listener is None:
            # Only bound, the port could still be taken by another process that is bound and starts to listen first.
            listener = socket.create_server((host, port), family=family)
            notifier.keep(_KEPT_NAME, listener)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            _give_up(
                f"{service}: port {port} on {host} is taken; who holds it: ss -ltnp sport = :{port}", EXIT_TEMPORARY
            )
        _give_up(f"{service}: cannot listen on {host}:{port}: {error.strerror}", EXIT_CONFIGURATION)
    log.info("listening on %s port %d", *listener.getsockname()[:2])
    return listener


def _kept(host: str, port: int, family: int, notifier: Notifier) -> socket.socket | None:
    """The socket that a process before this one had kept, if it is at the address; at another one it is closed."""
    descriptor = _handed_over()
    if descriptor is None:
        return None
    listener = socket.socket(fileno=descriptor)
    if _is_at(listener, host, port, family):
        return listener
    log.info("no longer listening on %s port %d", *listener.getsockname()[:2])
    notifier.forget(_KEPT_NAME)
    # The manager's end of it stays open until it has heard that: the port is to be free at once.
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    return None


def _handed_over() -> int | None:
    """What the manager kept under our name. Told once: the variables are not for the processes that this one starts."""
    process, count, names = (os.environ.pop(f"LISTEN_{name}", "") for name in ("PID", "FDS", "FDNAMES"))
    if process != str(os.getpid()):
        return None
    descriptors = range(_FIRST_DESCRIPTOR, _FIRST_DESCRIPTOR + int(count))
    for descriptor in descriptors:
        os.set_inheritable(descriptor, False)
    return dict(zip(names.split(":"), descriptors, strict=False)).get(_KEPT_NAME)


def _is_at(listener: socket.socket, host: str, port: int, family: int) -> bool:
    has_host, has_port = listener.getsockname()[:2]
    # The host may be a name. Port 0 takes any port, so the one that is there is as good as another, and known already.
    found = socket.getaddrinfo(host, port or has_port, family, socket.SOCK_STREAM)
    return listener.family == family and (has_host, has_port) in {address[:2] for *_, address in found}


def _give_up(line: str, status: int) -> NoReturn:
    print(line, file=sys.stderr)  # noqa: T201 - the operator reads this one line, not a log record
    sys.exit(status)
