"""Kills processes that change a store, and looks at what they leave.

    python -m tests.unit.juniper_data.stores.killing ROOT CHANGE        at each system call of one change
    python -m tests.unit.juniper_data.stores.killing ROOT open STRIDE   at each strideth one of making a new store
    python -m tests.unit.juniper_data.stores.killing ROOT any ROUNDS    two busy processes, at any moment

A program of its own, since it forks. Its last line tells what it saw; it fails where a store is not whole.
"""

import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import datetime
from functools import partial
from itertools import count
from pathlib import Path

from juniper_data.errors import DatasetNotFoundError
from juniper_data.stores.file_system import FileSystemStore
from tests.traced import be_traced, forked, killed_at
from tests.unit.juniper_data.stores.made import NOON, id_of, later
from tests.unit.juniper_data.stores.samples import holding, reopened

LATER = later(60)
SIZE = 100_000

Change = Callable[[FileSystemStore], object]
Process = Callable[[Path], object]
State = Mapping[str, bytes]


def _content(number: int) -> bytes:
    return number.to_bytes(8, "big") * (SIZE // 8)


def _put(store: FileSystemStore, number: int, content: int, expires_at: datetime | None = None) -> None:
    created_at = LATER if expires_at is None else NOON
    store.put(*holding(number, _content(content), created_at=created_at, expires_at=expires_at))


class TracedSweep(FileSystemStore):
    """A store that is traced once it has swept: before that there are thousands of calls that change nothing."""

    def remove_expired(self, at: datetime) -> list[tuple[str, str]]:
        """Forget what has expired."""
        be_traced()
        return super().remove_expired(at)


def _traced(change: Change) -> Process:
    def process(root: Path) -> None:
        store = FileSystemStore(root)
        be_traced()
        change(store)

    return process


def _put_two(store: FileSystemStore) -> None:
    _put(store, 1, 1)
    _put(store, 2, 2)


def _put_three_of_which_two_expire(store: FileSystemStore) -> None:
    _put(store, 1, 1)
    _put(store, 2, 2, expires_at=LATER)
    _put(store, 3, 3, expires_at=LATER)


# Each: what is done first, and the process that is killed.
CHANGES: Mapping[str, tuple[Change, Process]] = {
    "put": (lambda store: _put(store, 1, 1), _traced(lambda store: _put(store, 2, 2))),
    "replace": (lambda store: _put(store, 1, 1, expires_at=LATER), _traced(lambda store: _put(store, 1, 2))),
    "delete": (
        _put_two,
        _traced(lambda store: store.delete(id_of(2))),
    ),
    "delete_expired": (
        _put_three_of_which_two_expire,
        lambda root: TracedSweep(root).delete_expired(LATER),
    ),
}


def kill_at_each_call(root: Path, first: Change, process: Process) -> tuple[int, int]:
    """Kill a change at its first system call, its second, and so on, until it is through.

    Returns how many of the kills left the state before it, and how many the state after it.
    """
    _set(root, first)
    before = reopened(root)
    seen = []
    was_killed = True
    for calls in count(1):
        if not was_killed:
            break
        _set(root, first)
        was_killed = killed_at(partial(process, root), calls)
        seen.append(reopened(root))
    after = seen[-1]
    assert after != before, "the change came to its end and is not there"
    assert all(found in (before, after) for found in seen), "neither before nor after"
    is_after = [found == after for found in seen]
    assert is_after == sorted(is_after), "what was there once was gone after a later kill"
    return is_after.count(False), is_after.count(True)


def kill_opening(root: Path, stride: int) -> int:
    """Kill the making of a new store, each time some system calls later; returns how many there are."""

    def process(folder: Path) -> None:
        be_traced()
        FileSystemStore(folder)

    for calls in count(1, stride):
        folder = root / str(calls)
        was_killed = killed_at(partial(process, folder), calls)
        assert reopened(folder) == {}
        if not was_killed:
            return calls
    raise AssertionError


def kill_at_any_moment(root: Path, rounds: int, rng: random.Random) -> int:
    """Kill two busy processes, again and again; each must have done all that it said it had, and at most one more.

    Returns how many changes there were.
    """
    changes = 0
    for seed in range(rounds):
        _set(root, lambda _: None)
        children = [_busy(root, seed, base) for base in (0, 1000)]
        for _, pipe in children:
            os.read(pipe, 1)
        time.sleep(rng.uniform(0, 0.05))
        said = []
        for pid, pipe in children:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            with os.fdopen(pipe, "rb") as file:
                said.append(len(file.read()))
        found = reopened(root)
        for base, n in zip((0, 1000), said, strict=True):
            own = {key: value for key, value in found.items() if (int(key[-16:], 16) >= 1000) == (base >= 1000)}
            allowed = [_expected(seed, base, n), _expected(seed, base, n + 1)]
            assert own in allowed, f"seed {seed}: after {n} changes: {sorted(own)}"
        changes += sum(said)
    return changes


def _busy(root: Path, seed: int, base: int) -> tuple[int, int]:
    """A process that changes the store without end; its pid, and where it says a byte, then one for each change."""
    reading, writing = os.pipe()

    def change_all() -> None:
        store = FileSystemStore(root)
        os.write(writing, b"o")
        for number, content in _plan(seed, base):
            try:
                store.delete(id_of(number))
            except DatasetNotFoundError:
                _put(store, number, content)
            os.write(writing, b".")

    pid = forked(change_all)
    os.close(writing)
    return pid, reading


def _plan(seed: int, base: int) -> Iterator[tuple[int, int]]:
    """Which dataset is deleted where it is there, and put where it is not; and with what content."""
    rng = random.Random(seed + base)  # noqa: S311 - no secret
    for content in count(1):
        yield base + rng.randrange(5), content


def _expected(seed: int, base: int, changes: int) -> State:
    state: dict[str, bytes] = {}
    for (number, content), _ in zip(_plan(seed, base), range(changes), strict=False):
        if state.pop(id_of(number), None) is None:
            state[id_of(number)] = _content(content)
    return state


def _set(root: Path, *changes: Change) -> None:
    """An empty store, and then some changes."""
    with closing(FileSystemStore(root)) as store:
        for dataset_id in store.ids(1000, 0):
            store.delete(dataset_id)
        for change in changes:
            change(store)


def main(root: Path, change: str, rounds: int) -> str:
    """What was seen."""
    match change:
        case "any":
            return str(kill_at_any_moment(root, rounds, random.Random(rounds)))  # noqa: S311 - no secret
        case "open":
            return str(kill_opening(root, rounds))
    return "{} {}".format(*kill_at_each_call(root, *CHANGES[change]))


if __name__ == "__main__":
    print(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 1))  # noqa: T201
