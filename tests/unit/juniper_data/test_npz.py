import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from juniper_data.npz import read_picked, read_pieces, read_rows, write_npz

FLOATS = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }"


def _written(**arrays: np.ndarray) -> io.BytesIO:
    file = io.BytesIO()
    write_npz(file, arrays)
    return file


def _entry(header: str, version: bytes = b"\x01\x00", length: int | None = None) -> bytes:
    """Three rows of two numbers under a header."""
    start = (len(header) if length is None else length).to_bytes(2, "little")
    return b"\x93NUMPY" + version + start + header.encode() + np.arange(6, dtype=np.float32).tobytes()


def _with_entry(content: bytes, compression: int = zipfile.ZIP_STORED, **said: int) -> io.BytesIO:
    """An NPZ with an entry X of which its directory says something else."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        archive.writestr("X.npy", content)
        for name, value in said.items():
            setattr(archive.filelist[0], name, value)
    return file


def _with_header(header: str, version: bytes = b"\x01\x00", length: int | None = None) -> io.BytesIO:
    """An NPZ with an entry X whose header says something else."""
    return _with_entry(_entry(header, version, length))


class CountingFile(io.BytesIO):
    """A file that knows how much was read of it."""

    n_read = 0

    def read(self, size: int | None = -1, /) -> bytes:
        """Read, and count it."""
        content = super().read(size)
        self.n_read += len(content)
        return content


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype=np.float32).reshape(3, 2),
        np.zeros((0, 2), np.float32),
        np.arange(12, dtype=np.float32).reshape(3, 4)[:, ::2],
        np.arange(6, dtype=np.float32).reshape(2, 3).T,
        np.arange(3_000_000, dtype=np.float32).reshape(-1, 3),
    ],
    ids=["small", "empty", "strided", "transposed", "several pieces"],
)
def test_bytes_are_those_that_numpy_writes(array: np.ndarray) -> None:
    """An entry is what NumPy's own function makes of the array in the order of its rows."""
    expected = io.BytesIO()
    np.lib.format.write_array(expected, np.ascontiguousarray(array), allow_pickle=False)
    with zipfile.ZipFile(_written(X=array)) as archive:
        assert archive.read("X.npy") == expected.getvalue()


def test_numpy_reads_what_was_written() -> None:
    """An artifact is an NPZ like any other."""
    X, y = np.eye(3, 2, dtype=np.float32), np.zeros((3, 1), np.float32)
    with np.load(io.BytesIO(_written(X=X, y=y).getvalue()), allow_pickle=False) as arrays:
        assert arrays.files == ["X", "y"]
        assert np.array_equal(arrays["X"], X)


@given(n_rows=st.integers(0, 20), n_columns=st.integers(1, 5), n=st.integers(1, 30))
def test_first_rows_come_back(n_rows: int, n_columns: int, n: int) -> None:
    """What is read is the array's start, or all of it where it is shorter."""
    X = np.arange(n_rows * n_columns, dtype=np.float32).reshape(n_rows, n_columns)
    assert np.array_equal(read_rows(_written(other=X + 1, X=X), "X", n), X[:n])


@given(n_rows=st.integers(0, 20), n_columns=st.integers(1, 5), places=st.sets(st.integers(0, 19)))
def test_picked_rows_come_back(n_rows: int, n_columns: int, places: set[int]) -> None:
    """In their order, whichever they are."""
    X = np.arange(n_rows * n_columns, dtype=np.float32).reshape(n_rows, n_columns)
    picked = np.array(sorted(place for place in places if place < n_rows), np.int64)
    assert np.array_equal(read_picked(_written(other=X + 1, X=X), "X", picked), X[picked])


def test_a_long_array_is_read_in_pieces() -> None:
    """Each of a few megabytes, and all rows are in one of them."""
    X = np.arange(3_000_000, dtype=np.float32).reshape(-1, 3)
    pieces = list(read_pieces(_written(X=X), "X"))
    assert max(piece.nbytes for piece in pieces) <= 4 << 20
    assert len(pieces) > 1
    assert np.array_equal(np.concatenate(pieces), X)
    assert np.array_equal(read_picked(_written(X=X), "X", np.array([0, 999_999])), X[[0, 999_999]])


def test_no_more_is_read_than_asked_for() -> None:
    """A preview of a large artifact reads a few kilobytes."""
    file = CountingFile(_written(X=np.ones((1_000_000, 2), np.float32), y=np.ones((1, 1), np.float32)).getvalue())
    assert read_rows(file, "X", 10).shape == (10, 2)
    assert file.n_read < 10_000


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"text", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_npz_is_refused(content: bytes) -> None:
    """Whatever else a file holds, it is refused as one kind of error."""
    with pytest.raises(ValueError, match="no NPZ with X"):
        read_rows(io.BytesIO(content), "X", 1)


def test_header_of_an_artifact_is_taken() -> None:
    """The header that the next test spoils is one that is read when it is whole."""
    assert read_rows(_with_header(f"{FLOATS}\n"), "X", 2).tolist() == [[0, 1], [2, 3]]


@pytest.mark.parametrize(
    "file",
    [
        _with_header(FLOATS.replace("<f4", "|O") + "\n"),
        _with_header(FLOATS.replace("<f4", ">f4") + "\n"),
        _with_header(FLOATS.replace("<f4", "<f8") + "\n"),
        _with_header(FLOATS.replace("False", "True") + "\n"),
        _with_header(FLOATS.replace("3, 2", "4, 2") + "\n"),
        _with_header(FLOATS.replace("3, 2", "2, 2") + "\n"),
        _with_header(FLOATS.replace("3, 2", "-3, -2") + "\n"),
        _with_header(FLOATS.replace("3, 2", "1, 1000000000000") + "\n"),
        _with_header(FLOATS.replace("3, 2", "9" * 5000 + ", 0") + "\n"),
        _with_header(FLOATS.replace("3, 2", "3 2") + "\n"),
        _with_header(FLOATS.replace("3, 2", ", ") + "\n"),
        _with_header("(" * 300),
        _with_header("-" * 9000 + "1"),
        _with_header(f"{FLOATS}\n", version=b"\x02\x00"),
        _with_header(f"{FLOATS}\n", length=60_000),
        _with_entry(b""),
        _with_entry(_written(X=np.ones((3, 2), np.float32)).getvalue()),
        _with_entry(_entry(f"{FLOATS}\n"), zipfile.ZIP_DEFLATED),
        _with_entry(_entry(f"{FLOATS}\n"), flag_bits=1),  # encrypted
        _with_entry(_entry(f"{FLOATS}\n"), create_version=255, extract_version=255),
    ],
    ids=[
        "objects",
        "big-endian",
        "doubles",
        "by column",
        "more rows",
        "fewer rows",
        "negative",
        "huge",
        "endless number",
        "no tuple",
        "no shape",
        "deeply nested",
        "long sum",
        "other version",
        "long header",
        "nothing",
        "NPZ in an NPZ",
        "compressed",
        "encrypted",
        "of a later zip",
    ],
)
def test_hostile_entry_is_refused(file: io.BytesIO) -> None:
    """An entry that is no array of float32, row after row, or has not just its bytes, is refused."""
    with pytest.raises(ValueError, match=r"."):
        read_rows(file, "X", 10)


def test_size_that_is_only_said_takes_no_memory(tmp_path: Path) -> None:
    """A row of four terabytes, in directory and header alike, is refused before any memory is taken for it."""
    entry = _entry(FLOATS.replace("3, 2", "1, 1000000000000") + "\n")
    size = len(entry) - 24 + 4 * 10**12
    (tmp_path / "set.npz").write_bytes(_with_entry(entry, file_size=size, compress_size=size).getvalue())
    with (tmp_path / "set.npz").open("rb") as file, pytest.raises(ValueError, match="not stored as it is"):
        read_rows(file, "X", 1)


def test_entry_that_starts_before_the_file_is_refused(tmp_path: Path) -> None:
    """What a disk answers to a place that cannot be is the same kind of error."""
    content = bytearray(_written(X=np.ones((3, 2), np.float32)).getvalue())
    content[-6:-2] = (60_000).to_bytes(4, "little")  # where the directory is, and with it each entry
    (tmp_path / "set.npz").write_bytes(content)
    with (tmp_path / "set.npz").open("rb") as file, pytest.raises(ValueError, match="no NPZ with X"):
        read_rows(file, "X", 1)


@given(places=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=4), end=st.floats())
def test_spoilt_file_gives_rows_or_one_kind_of_error(places: list[tuple[int, int]], end: float) -> None:
    """Whichever bytes are wrong or missing, nothing but ValueError comes of it."""
    content = bytearray(_written(X=np.ones((20, 3), np.float32), y=np.zeros((20, 1), np.float32)).getvalue())
    for place, value in places:
        content[place % len(content)] = value
    if 0 < end < 1:
        content = content[: int(len(content) * end)]
    try:
        rows = read_rows(io.BytesIO(content), "X", 4)
    except ValueError:
        return
    assert rows.shape == (4, 3)
