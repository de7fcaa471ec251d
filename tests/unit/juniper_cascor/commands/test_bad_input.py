"""Files that cannot be trained on, whose error names line or row and column; and odd ones that can."""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from .command_line import refusal, run

SMALL = ("--set", "max_hidden_units=3", "--set", "candidate_epochs=40", "--set", "output_epochs=40")


def a_table(cells: dict[tuple[int, int], object] | None = None, n: int = 12) -> str:
    """A CSV of two features and a label, with some cells replaced; row 0 is the header."""
    rows: list[list[object]] = [[i, i * i % 7, ("odd", "even")[i % 2]] for i in range(n)]
    table: list[list[object]] = [["a", "b", "kind"], *rows]
    for (row, column), cell in (cells or {}).items():
        table[row][column] = cell
    return "".join(",".join(map(str, row)) + "\n" for row in table)


BAD_CSV: dict[str, tuple[str, str]] = {
    "NaN": (a_table({(4, 1): "nan"}), "line 5, column 'b': 'nan' is not a finite number"),
    "infinity": (a_table({(1, 0): "-inf"}), "line 2, column 'a': '-inf' is not a finite number"),
    "too large": (a_table({(1, 0): "1e39"}), "line 2, column 'a': '1e39' is beyond single precision"),
    "a word": (a_table({(3, 1): "two"}), "line 4, column 'b': 'two' is not a number"),
    "nothing": (a_table({(12, 0): ""}), "line 13, column 'a': is empty"),
    "no label": (a_table({(2, 2): " "}), "line 3, column 'kind': is empty"),
    "NaN for a label": (a_table({(2, 2): "NaN"}), "line 3, column 'kind': 'NaN' is no label"),
    "one class": (
        a_table({(i, 2): "odd" for i in range(1, 13)}),
        "column 'kind': holds one class only: 'odd' in all 12",
    ),
    "a cell too few": (a_table().replace("3,2,even\n", "3,even\n"), "line 5: has 2 cells, but the header 3"),
    "only a header": ("a,b,kind\n", "holds no patterns"),
    "an empty file": ("", "is empty"),
    "no header": ("1,2,3\n4,5,6\n", "line 1: holds numbers, not the names of the columns"),
    "no header, and words for labels": (
        "5.1,3.5,odd\n4,5,even\n",
        "line 1: holds numbers, not the names of the columns; next: add a header line before it",
    ),
    "a column without a name": ("a,,kind\n1,2,x\n", "line 1: column 2 has no name"),
    "a name twice": ("a,a,kind\n1,2,x\n", "line 1: two columns are called 'a'"),
    "an open quote": ('a,b,kind\n1,2,"x\n', "line 2: unexpected end of data"),
}


def test_text_of_another_encoding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command that writes it as UTF-8 is named."""
    path = tmp_path / "data.csv"
    path.write_bytes("größe,kind\n1,x\n".encode("latin-1"))
    line = refusal(capsys, "train", path, "--out", tmp_path / "net.h5", code=65)
    assert line == f"{path}: is not UTF-8 text: byte 2; next: iconv -f LATIN1 -t UTF-8 {path} writes it as such"


def test_text_of_two_bytes_a_character(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As spreadsheets write Unicode: its mark says which encoding to convert from."""
    path = tmp_path / "data.csv"
    path.write_text(a_table(), encoding="utf-16")
    line = refusal(capsys, "train", path, "--out", tmp_path / "net.h5", code=65)
    assert line.endswith(f"next: iconv -f UTF-16 -t UTF-8 {path} writes it as such")


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_what_separates_cells(separator: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Commas, semicolons or tabs, with a mark at the start as spreadsheets write it, and empty lines between."""
    path = tmp_path / "data.csv"
    path.write_text("\ufeff" + a_table().replace(",", separator).replace("\n", "\n\n"), encoding="utf-8")
    ended = run(capsys, "train", path, "--out", tmp_path / "net.h5", *SMALL)
    assert ended.code == 0
    assert ended.out.startswith("12 patterns of 2 features; column 'kind': 2 classes")


@pytest.mark.parametrize(("text", "message"), BAD_CSV.values(), ids=BAD_CSV.keys())
def test_bad_csv(text: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Line and column are named, as an editor counts them."""
    path = tmp_path / "data.csv"
    path.write_text(text)
    line = refusal(capsys, "train", path, "--out", tmp_path / "net.h5", "--quiet", code=65)
    assert line.startswith(f"{path}: {message}")


POINTS = np.random.default_rng(0).normal(size=(20, 3))
HALVES = np.arange(20) % 2


def with_nan(array: Any, *place: int) -> Any:
    """A copy with a NaN."""
    changed = np.array(array, float)
    changed[place] = np.nan
    return changed


BAD_NPZ: dict[str, tuple[dict[str, Any], str]] = {
    "NaN": ({"X": with_nan(POINTS, 3, 1), "y": HALVES}, "X row 3, column 1: NaN is not a finite number"),
    "NaN while split": (
        {"X_train": with_nan(POINTS, 3, 1), "y_train": HALVES},
        "X_train row 3, column 1: NaN is not a finite number",
    ),
    "NaN held out": (
        {"X_train": POINTS, "y_train": HALVES, "X_val": with_nan(POINTS, 5, 0), "y_val": HALVES},
        "X_val row 5, column 0: NaN is not a finite number",
    ),
    "NaN for a value": ({"X": POINTS, "y": with_nan(POINTS, 7, 2)}, "y row 7, column 2: NaN is not a finite number"),
    "one class": ({"X": POINTS, "y": HALVES * 0}, "y: holds one class only: '0' in all 20 rows"),
    "an empty set": ({"X": POINTS[:0], "y": HALVES[:0]}, "Found array with 0 sample(s)"),
    "no targets": ({"X": POINTS}, "there is no array y; next: it has X; save that one too"),
    "words": ({"X": np.array([["1", "two"]] * 20), "y": HALVES}, "X row 0, column 1: 'two' is not a number"),
    "words for values": ({"X": POINTS, "y": np.array([["1", "two"]] * 20)}, "y row 0, column 1: 'two' is not"),
    "one number": ({"X": np.array(3.0), "y": HALVES}, "X is [], not [patterns, features]; next: reshape it"),
    "one row": ({"X": POINTS[:, 0], "y": HALVES}, "X is [20], not [patterns, features]"),
    "one target": ({"X": POINTS, "y": np.array(1)}, "y is [], and there are 20 patterns"),
    "a target too few": ({"X": POINTS, "y": HALVES[:19]}, "y is [19], and there are 20 patterns"),
    "bytes for labels": ({"X": POINTS, "y": HALVES.astype("S1")}, "y is of |S1, neither numbers nor text"),
    "dates for labels": ({"X": POINTS, "y": HALVES.astype("M8[D]")}, "y is of datetime64[D], neither"),
    "dates": ({"X": POINTS.astype("M8[D]"), "y": HALVES}, "X is of datetime64[D], neither numbers nor text"),
    "complex numbers": ({"X": POINTS * 1j, "y": HALVES}, "X is of complex128, neither numbers nor text"),
    "records": ({"X": np.zeros(20, "f4,f4"), "y": HALVES}, "X is of [('f0', '<f4'), ('f1', '<f4')], neither"),
}
TRAINED = {"X_train": POINTS, "y_train": HALVES}
VALUED = {"X_train": POINTS, "y_train": POINTS[:, 0]}
BAD_PARTS: dict[str, tuple[dict[str, Any], str]] = {
    "columns": (TRAINED | {"X_test": POINTS[:, :2], "y_test": HALVES}, "X_test is [20, 2], and X_train [20, 3]"),
    "columns held out": (TRAINED | {"X_val": POINTS[:, :2], "y_val": HALVES}, "X_val is [20, 2], and X_train [20, 3]"),
    "a number held out": (TRAINED | {"X_val": np.array(1.0), "y_val": HALVES}, "X_val is [], not [patterns"),
    "outputs": (VALUED | {"X_test": POINTS, "y_test": POINTS}, "y_test is [20, 3], and y_train [20]"),
    "NaN": (TRAINED | {"X_test": with_nan(POINTS, 2, 0), "y_test": HALVES}, "X_test row 2, column 0: NaN is not"),
    "NaN for a value": (VALUED | {"X_test": POINTS, "y_test": with_nan(HALVES, 9)}, "y_test row 9: NaN is not"),
    "a new label": (TRAINED | {"X_test": POINTS, "y_test": HALVES * 2}, "y_test row 1: '2' is no class of the"),
    "labels of words": (
        TRAINED | {"X_test": POINTS, "y_test": HALVES.astype(str)},
        "y_test is of <U21, and the labels trained on of int64",
    ),
}


@pytest.mark.parametrize(("arrays", "message"), BAD_NPZ.values(), ids=BAD_NPZ.keys())
def test_bad_npz(arrays: dict[str, Any], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The array is named as in the file, with row and column."""
    path = tmp_path / "data.npz"
    np.savez(path, allow_pickle=False, **arrays)
    line = refusal(capsys, "train", path, "--out", tmp_path / "net.h5", "--quiet", code=65)
    assert line.startswith(f"{path}: {message}")


@pytest.mark.parametrize(("arrays", "message"), BAD_PARTS.values(), ids=BAD_PARTS.keys())
def test_bad_parts(arrays: dict[str, Any], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is held out or tested with is looked at before the training, even where its score is not said."""
    path = tmp_path / "data.npz"
    np.savez(path, allow_pickle=False, **arrays)
    line = refusal(capsys, "train", path, "--out", tmp_path / "net.h5", "--quiet", code=65)
    assert line.startswith(f"{path}: {message}")
    assert not (tmp_path / "net.h5").exists()


def npy_promising(shape: tuple[int, ...]) -> bytes:
    """The header of an array, and none of its numbers."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "<f8", "fortran_order": False, "shape": shape})
    return file.getvalue()


def test_an_array_that_is_not_all_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No memory is taken for what a header promises and the file does not hold."""
    path = tmp_path / "data.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("X.npy", npy_promising((10**9, 300)))
    line = refusal(capsys, "train", path, "--out", tmp_path / "net.h5", code=65)
    assert "is no NPZ of plain arrays: [1000000000, 300] numbers of float64 are promised, and there are " in line


def test_a_damaged_compression(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is what zlib calls an error."""
    path = tmp_path / "data.npz"
    np.savez_compressed(path, X=POINTS, y=HALVES)
    content = bytearray(path.read_bytes())
    content[55:85] = b"\xff" * 30  # behind the first array's local header: no kind of block is called so
    path.write_bytes(bytes(content))
    line = refusal(capsys, "train", path, "--out", tmp_path / "net.h5", code=65)
    assert "is no NPZ of plain arrays: Error -3 while decompressing data" in line


def test_what_is_no_npz(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Another file, a cut one, objects that would have to be unpickled, and a lone array."""
    path = tmp_path / "data.npz"
    np.savez(path, X=POINTS, y=HALVES)
    whole = path.read_bytes()
    np.savez(path, X=POINTS, y=HALVES.astype(object), allow_pickle=True)
    single = io.BytesIO()
    np.save(single, POINTS)
    for content in (b"", b"a,b\n1,2\n", whole[:-40], path.read_bytes(), single.getvalue()):
        path.write_bytes(content)
        line = refusal(capsys, "train", path, "--out", tmp_path / "net.h5", "--quiet", code=65)
        assert "data.npz: is no NPZ of plain arrays" in line


GOOD: dict[str, dict[str, Any]] = {
    "a constant feature": {"X": np.column_stack([POINTS, np.full(20, 7.5)]), "y": HALVES},
    "more outputs than patterns": {"X": POINTS[:5], "y": np.arange(5)},
    "more values than patterns": {"X": POINTS[:3], "y": np.random.default_rng(1).normal(size=(3, 7))},
    "double precision": {"X": POINTS.astype(np.float64), "y": HALVES.astype(np.float64)},
    "whole numbers": {"X": (POINTS * 10).astype(np.int32), "y": HALVES.astype(np.int8)},
    "columns first": {"X": np.asfortranarray(POINTS), "y": HALVES},
    "words as labels": {"X": POINTS, "y": np.array(["no", "yes"])[HALVES]},
    "a column of labels": {"X": POINTS, "y": HALVES[:, np.newaxis]},
}


@pytest.mark.parametrize("arrays", GOOD.values(), ids=GOOD.keys())
def test_odd_but_good(arrays: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It trains, and its file answers for the same patterns."""
    data, net = tmp_path / "data.npz", tmp_path / "net.h5"
    np.savez(data, allow_pickle=False, **arrays)
    assert run(capsys, "train", data, "--out", net, *SMALL).code == 0
    answered = run(capsys, "predict", net, data)
    assert answered.code == 0
    assert len(answered.out.splitlines()) == 1 + len(arrays["X"])
