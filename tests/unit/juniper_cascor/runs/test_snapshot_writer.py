"""The thread that writes snapshots while a training goes on."""

import errno
import threading

import pytest

from juniper_cascor.runs.snapshot_writer import SnapshotWriter

TIMEOUT_S = 30


class Disk:
    """Takes what it is given, in the order of its coming, unless it is full or held."""

    def __init__(self) -> None:
        self.taken: list[int] = []
        self.is_full = False
        self.may_go_on = threading.Event()
        self.may_go_on.set()

    def take(self, number: int) -> None:
        """Keep a number."""
        assert self.may_go_on.wait(TIMEOUT_S)
        if self.is_full:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.taken.append(number)


def put(writer: SnapshotWriter, disk: Disk, *numbers: int) -> list[bool]:
    """Give numbers to the writer; which it took."""
    return [writer.put(lambda number=number: disk.take(number)) for number in numbers]  # type: ignore[misc]


def test_all_is_written_in_order() -> None:
    """After a flush all is on the disk."""
    disk = Disk()
    with SnapshotWriter() as writer:
        assert put(writer, disk, *range(20)) == [True] * 20
        assert writer.flush() is None
        assert disk.taken == list(range(20))


def test_the_owner_goes_on_while_it_writes() -> None:
    """Up to as many as may wait; one more waits for room."""
    disk = Disk()
    disk.may_go_on.clear()
    with SnapshotWriter(limit=2) as writer:
        put(writer, disk, 0, 1)
        assert disk.taken == []
        threading.Timer(0.05, disk.may_go_on.set).start()
        put(writer, disk, 2)
        assert disk.taken[:1] == [0]
    assert disk.taken == [0, 1, 2]


def test_what_the_disk_does_not_take_waits_to_be_tried_again() -> None:
    """The owner is told, nothing more is taken, and all that was taken is written once there is room."""
    disk = Disk()
    with SnapshotWriter() as writer:
        disk.may_go_on.clear()
        put(writer, disk, 0, 1)
        disk.is_full = True
        disk.may_go_on.set()
        refusal = writer.flush()
        assert refusal is not None
        assert refusal.errno == errno.ENOSPC
        assert put(writer, disk, 2) == [False]
        assert writer.retry() is not None
        disk.is_full = False
        assert writer.retry() is None
        assert writer.error is None
        assert put(writer, disk, 2) == [True]
    assert disk.taken == [0, 1, 2]


def test_an_owner_that_waits_for_room_is_told_of_a_full_disk() -> None:
    """It does not wait for ever."""
    disk = Disk()
    disk.may_go_on.clear()
    disk.is_full = True
    with SnapshotWriter(limit=1) as writer:
        put(writer, disk, 0)
        threading.Timer(0.05, disk.may_go_on.set).start()
        assert put(writer, disk, 1) == [False]


def test_what_no_disk_would_take_is_raised_in_its_owner() -> None:
    """An error of the program is not taken for one of the disk."""

    def write() -> None:
        raise TypeError("it holds objects")

    with SnapshotWriter() as writer:
        writer.put(write)
        with pytest.raises(TypeError, match="it holds objects"):
            writer.flush()


def test_closing_does_not_wait_for_a_full_disk() -> None:
    """What it does not take is left out; the thread ends."""
    disk = Disk()
    disk.is_full = True
    with SnapshotWriter() as writer:
        put(writer, disk, 0)
        writer.flush()
    assert disk.taken == []
