"""When a file is read again, and when it is trusted."""

import hashlib
import io
import os
import threading
from pathlib import Path

import pytest

from juniper_data.stores.verification import ALWAYS_READ_BYTES, TRUSTED_FILES, TRUSTED_S, Verifier

LARGE = bytes(3 * ALWAYS_READ_BYTES)
CHECKSUM = hashlib.sha256(LARGE).hexdigest()


class CountingFile(io.FileIO):
    """A file that knows how much was read of any."""

    bytes_read = 0

    def readinto(self, buffer: memoryview, /) -> int | None:  # type: ignore[override]
        """Read, and count."""
        n = super().readinto(buffer)
        CountingFile.bytes_read += n or 0
        return n


@pytest.fixture(autouse=True)
def _nothing_was_read() -> None:
    CountingFile.bytes_read = 0


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A file that is not read at each opening."""
    path = tmp_path / "large"
    path.write_bytes(LARGE)
    return path


def size(verifier: Verifier, path: Path, checksum: str = CHECKSUM) -> int | None:
    """What the verifier says of a file that is opened."""
    file: io.BufferedReader = io.BufferedReader(CountingFile(path))
    with file:
        found = verifier.size_if_whole(file, checksum)
        assert file.tell() == 0
    return found


def test_a_small_file_is_read_each_time(tmp_path: Path) -> None:
    """Whatever it was before, it must be whole now."""
    path = tmp_path / "small"
    path.write_bytes(bytes(ALWAYS_READ_BYTES))
    checksum = hashlib.sha256(bytes(ALWAYS_READ_BYTES)).hexdigest()
    verifier = Verifier()
    assert [size(verifier, path, checksum) for _ in range(2)] == [ALWAYS_READ_BYTES] * 2
    with path.open("rb+") as file:
        file.write(b"x")
    assert size(verifier, path, checksum) is None


def test_a_large_file_is_read_once(large: Path) -> None:
    """Who asks for one range after another of it does not wait for it to be read each time."""
    verifier = Verifier()
    assert [size(verifier, large) for _ in range(3)] == [len(LARGE)] * 3
    assert CountingFile.bytes_read == len(LARGE)


def test_a_large_file_is_trusted_for_some_time(large: Path) -> None:
    """Then it is read again."""
    now_s = 0.0
    verifier = Verifier(lambda: now_s)
    size(verifier, large)
    now_s = TRUSTED_S
    size(verifier, large)
    assert CountingFile.bytes_read == 2 * len(LARGE)


def test_a_large_file_is_trusted_for_its_checksum_alone(large: Path) -> None:
    """It is not what another checksum says."""
    verifier = Verifier()
    size(verifier, large)
    assert size(verifier, large, hashlib.sha256(b"").hexdigest()) is None


def test_a_large_file_that_was_changed_is_not_trusted(large: Path) -> None:
    """Not even one whose time was set back."""
    verifier = Verifier()
    size(verifier, large)
    before = large.stat()
    with large.open("rb+") as file:
        file.write(b"x")
    os.utime(large, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert size(verifier, large) is None


def test_a_large_file_that_is_not_whole_is_never_trusted(large: Path) -> None:
    """It is read, and refused, each time."""
    os.truncate(large, len(LARGE) - 1)
    verifier = Verifier()
    assert [size(verifier, large) for _ in range(2)] == [None, None]


def test_who_asks_at_once_waits_for_one_reading(large: Path) -> None:
    """Ten readers, and the file is read once."""
    verifier = Verifier()
    start = threading.Barrier(10)

    def read() -> None:
        start.wait()
        size(verifier, large)

    threads = [threading.Thread(target=read) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert CountingFile.bytes_read == len(LARGE)


def test_files_are_forgotten_when_there_are_many(large: Path, tmp_path: Path) -> None:
    """What is remembered takes only so much memory: the one that was read first is read again."""
    verifier = Verifier()
    size(verifier, large)
    other = tmp_path / "other"
    other.touch()
    os.truncate(other, ALWAYS_READ_BYTES + 1)
    checksum = hashlib.sha256(bytes(ALWAYS_READ_BYTES + 1)).hexdigest()
    for number in range(TRUSTED_FILES):
        os.utime(other, (number, number))
        assert size(verifier, other, checksum) is not None
    CountingFile.bytes_read = 0
    size(verifier, large)
    assert CountingFile.bytes_read == len(LARGE)
