"""What a trainer says while it warms up."""

import itertools
import threading
from collections.abc import Callable

import pytest

from juniper_cascor.runs import warming
from juniper_cascor.runs.channel import Message

TIMEOUT_S = 30.0


class Service:
    """Hears what is sent, so many messages; whoever sends more finds it gone."""

    def __init__(self, lives_for: int = 1_000_000) -> None:
        self.heard: list[str] = []
        self.tried = threading.Semaphore(0)
        self._lives_for = lives_for

    def send(self, message: Message) -> None:
        """Take one."""
        self.tried.release()
        if len(self.heard) == self._lives_for:
            raise BrokenPipeError
        self.heard.append(message.kind)


def looked_at(*seconds: float) -> tuple[Callable[[], float], threading.Event]:
    """A clock of the processor that tells these one after the other, and when it has told the last, which stays."""
    told, all_told = itertools.chain(seconds, itertools.repeat(seconds[-1])), threading.Event()
    left = iter(range(len(seconds), -1, -1))

    def now() -> float:
        if next(left, 0) == 0:
            all_told.set()
        return next(told)

    return now, all_told


def test_one_that_works_says_so() -> None:
    """Again and again, until it is warm."""
    service = Service()
    with warming.told(service.send, 0.001, itertools.count().__next__):
        for _ in range(3):
            assert service.tried.acquire(timeout=TIMEOUT_S)
    assert set(service.heard) == {"warming"}


def test_one_that_hangs_is_silent() -> None:
    """A process that gets nothing done is not alive, though one of its threads is."""
    service = Service()
    clock, all_told = looked_at(7.0, 7.0, 7.0)
    with warming.told(service.send, 0.001, clock):
        assert all_told.wait(TIMEOUT_S)
    assert service.heard == []


def test_it_ends_where_the_service_is_gone() -> None:
    """Without a word: the trainer hears of it when it is ready."""
    service = Service(lives_for=1)
    with warming.told(service.send, 0.001, itertools.count().__next__):
        for _ in range(2):
            assert service.tried.acquire(timeout=TIMEOUT_S)
    assert service.heard == ["warming"]


def test_what_fails_meanwhile_ends_it() -> None:
    """No thread keeps the process."""
    with pytest.raises(MemoryError), warming.told(Service().send):
        raise MemoryError
    assert "warming" not in {thread.name for thread in threading.enumerate()}
