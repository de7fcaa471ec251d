"""Callers of a fleet's services, who try each read once more, and what becomes of their calls."""

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
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
    told = {url: Told() for url in calls}
    with _again_and_again(*(partial(_read, url, headers, told[url]) for url, headers in calls.items())):
        yield told


@contextlib.contextmanager
def repeated(read: Callable[[], _Answer]) -> Iterator[list[_Answer]]:
    """While it lasts something is read again and again; its answers, as they came.

    Args:
        read: what it raises of httpx's transport is no answer.
    """
    answers: list[_Answer] = []

    def ask() -> None:
        with contextlib.suppress(httpx.TransportError):
            answers.append(read())

    with _again_and_again(ask):
        yield answers


@contextlib.contextmanager
def _again_and_again(*calls: Callable[[], None]) -> Iterator[None]:
    """Make each of these calls, with pauses, in a thread of its own."""
    ended = threading.Event()

    def repeat(call: Callable[[], None]) -> None:
        while not ended.wait(PAUSE_S):
            call()

    threads = [threading.Thread(target=repeat, args=[call]) for call in calls]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
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
