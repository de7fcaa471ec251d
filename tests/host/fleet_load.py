"""Callers of a fleet's services, who try each read once more, and what becomes of their calls."""

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import httpx

_Answer = TypeVar("_Answer")

PAUSE_S = 0.05
PATIENCE_S = 60.0


@dataclass(slots=True)
class Told:
    """What has become of the calls of one address so far."""

    answered: int = 0
    again: int = 0
    """Those among them that were answered at the second try."""
    lost: list[str] = field(default_factory=list)
    """Why, of those that were not answered then either."""


@contextlib.contextmanager
def load(calls: Mapping[str, Mapping[str, str]]) -> Iterator[Mapping[str, Told]]:
    """While it lasts each address is read again and again, each time over a connection of its own.

    Args:
        calls: the headers of each address.
    """
    ended = threading.Event()
    told = {url: Told() for url in calls}

    def call(url: str) -> None:
        while not ended.wait(PAUSE_S):
            _read(url, calls[url], told[url])

    threads = [threading.Thread(target=call, args=[url]) for url in calls]
    for thread in threads:
        thread.start()
    try:
        yield told
    finally:
        ended.set()
        for thread in threads:
            thread.join()


@contextlib.contextmanager
def repeated(read: Callable[[], _Answer]) -> Iterator[list[_Answer]]:
    """While it lasts something is read again and again; its answers, as they came.

    Args:
        read: what it raises of httpx's transport is no answer.
    """
    ended = threading.Event()
    answers: list[_Answer] = []

    def ask() -> None:
        while not ended.wait(PAUSE_S):
            with contextlib.suppress(httpx.TransportError):
                answers.append(read())

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield answers
    finally:
        ended.set()
        thread.join()


def _read(url: str, headers: Mapping[str, str], told: Told) -> None:
    why = ""
    for is_again in (False, True):
        try:
            answer = httpx.get(url, headers={**headers, "Connection": "close"}, timeout=PATIENCE_S)
        except httpx.TransportError as error:
            why = repr(error)
            continue
        if answer.is_success:
            told.answered += 1
            told.again += is_again
            return
        why = f"{answer.status_code} {answer.text[:200]}"
    told.lost.append(why)
