"""Files on their way in."""

import hashlib
from pathlib import Path

import pytest

from juniper_data.receiving import IncomingFile

MEBIBYTE = 1 << 20


@pytest.mark.parametrize("pieces", [[], [b"a"], [b"a", b"bc"], [b"x" * MEBIBYTE, b"y" * 3, b"z" * MEBIBYTE]])
def test_file_is_what_was_sent(tmp_path: Path, pieces: list[bytes]) -> None:
    """Byte by byte, under the checksum of the whole."""
    with IncomingFile(tmp_path / "file") as file:
        for piece in pieces:
            if file.take(piece):
                file.write()
        file.write()
    content = b"".join(pieces)
    assert (tmp_path / "file").read_bytes() == content
    assert (file.size, file.sha256) == (len(content), hashlib.sha256(content).hexdigest())


def test_small_pieces_are_gathered(tmp_path: Path) -> None:
    """Each writing costs a thread, and each byte that waits costs memory: a mebibyte is as much as may wait."""
    with IncomingFile(tmp_path / "file") as file:
        asked = [file.take(b"x" * (MEBIBYTE // 4)) for _ in range(4)]
    assert asked == [False, False, False, True]


def test_file_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    """A new file is new."""
    (tmp_path / "file").write_bytes(b"old")
    with pytest.raises(FileExistsError):
        IncomingFile(tmp_path / "file")
