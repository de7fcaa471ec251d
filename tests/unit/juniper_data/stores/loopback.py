"""Whom this process calls: it may be itself alone."""

import ipaddress
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

_called: list[str] = []


@contextmanager
def nobody_else_called() -> Iterator[None]:
    """Fails where a socket was connected to another host."""
    _listen()
    _called.clear()
    yield
    assert [host for host in _called if not ipaddress.ip_address(host).is_loopback] == []


@cache
def _listen() -> None:
    # An audit hook stays for good.
    sys.addaudithook(_note)


def _note(event: str, arguments: tuple[object, ...]) -> None:
    if event == "socket.connect" and isinstance(address := arguments[1], tuple):
        _called.append(address[0])
