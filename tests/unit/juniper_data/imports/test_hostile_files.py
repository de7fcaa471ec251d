"""Files that are made to harm: each ends as a dataset or as a refusal, whatever is in it."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from juniper_data.errors import InvalidParametersError
from juniper_data.imports.importer import Importer
from juniper_data.imports.parameters import UploadParameters
from tests.unit.juniper_data.imports.conftest import ReadContent

MIB = 1 << 20


def csv_file() -> bytes:
    """A small CSV."""
    return b'x1,x2,label\n1,2.5,"b"\n-3,4e-1,a\n0.25,,a\n'


def json_file() -> bytes:
    """A small array of records."""
    return json.dumps([{"x1": 1, "x2": 2.5, "label": "b"}, {"x1": -3, "x2": None, "label": "a"}]).encode()


def json_lines_file() -> bytes:
    """A record a line."""
    return b'{"x1": 1, "x2": 2.5, "label": "b"}\n{"x1": -3, "x2": 0.5, "label": "a"}\n'


def npz_file(*, compressed: bool = True) -> bytes:
    """A small NPZ."""
    file = io.BytesIO()
    X, y = np.arange(6.0).reshape(3, 2), np.array([0, 1, 1])
    (np.savez_compressed if compressed else np.savez)(file, X=np.asfortranarray(X), y=y)
    return file.getvalue()


def parquet_file() -> bytes:
    """A small Parquet file."""
    file = io.BytesIO()
    parquet.write_table(pa.table({"x1": [1.0, -3.0], "x2": [2, None], "label": ["b", "a"]}), file)
    return file.getvalue()


def mutated(content: bytes, changes: list[tuple[int, int, bytes]]) -> bytes:
    """Some parts of a file replaced: where, how many bytes, and by which."""
    for place, length, new in changes:
        start = place % (len(content) + 1)
        content = content[:start] + new + content[start + length :]
    return content


CHANGES = st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 8), st.binary(max_size=8)), min_size=1, max_size=4)


@pytest.mark.parametrize("write", [csv_file, json_file, json_lines_file, npz_file])
@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=CHANGES, drop=st.booleans())
@example(changes=[(0, 0, b"")], drop=True)
def test_damaged_files_are_read_or_refused(
    read_content: ReadContent, write: Callable[[], bytes], changes: list[tuple[int, int, bytes]], drop: bool
) -> None:
    """However a valid file is changed, it gives a dataset of finite numbers, or is refused."""
    kind = write.__name__.split("_", 1)[0]
    missing = "drop" if drop else "refuse"
    try:
        result = read_content(mutated(write(), changes), file_format=kind, missing_values=missing)
    except InvalidParametersError:
        return
    assert all(np.isfinite(array).all() for array in result.arrays.values())


@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=CHANGES)
@example(changes=[(0, 0, b"")])
def test_damaged_parquet_is_read_or_refused(tmp_path: Path, changes: list[tuple[int, int, bytes]]) -> None:
    """The same of Parquet, each in a process of its own: its reader may die of it."""
    imported(tmp_path, mutated(parquet_file(), changes), file_format="parquet", missing_values="drop")


def imported(folder: Path, content: bytes, **parameters: object) -> str:
    """What an importer says of a file: why it is refused, or nothing."""
    path = folder / "hostile"
    path.write_bytes(content)
    asked = UploadParameters.model_validate(parameters)
    try:
        with (
            path.open("rb") as file,
            Importer(folder, 120, folder).made(file, hashlib.sha256(content).hexdigest(), asked),
        ):
            return ""
    except InvalidParametersError as error:
        return error.problems[0].msg


def bomb(rows: int, declared: int) -> bytes:
    """An NPZ of zeros, deflated to a thousandth; the header may declare more than there is."""
    file, header = io.BytesIO(), io.BytesIO()
    shape = {"descr": "<f4", "fortran_order": False, "shape": (declared, 1000)}
    np.lib.format.write_array_header_1_0(header, shape)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("X.npy", "w", force_zip64=True) as member:
            member.write(header.getvalue())
            for _ in range(rows // 1000):
                member.write(bytes(4_000_000))
        with archive.open("y.npy", "w") as member:
            np.lib.format.write_array(member, np.zeros(declared, np.int8))
    return file.getvalue()


def test_zip_bomb_takes_no_memory(tmp_path: Path) -> None:
    """A quarter of a gigabyte in a quarter of a megabyte is read piece by piece, or refused for what it declares."""
    content = bomb(60_000, 60_000)
    assert len(content) < MIB // 2
    assert imported(tmp_path, content) == ""
    assert "does not hold as many numbers" in imported(tmp_path, bomb(1000, 100_000))
    assert imported(tmp_path, bomb(1000, 2_000_000)) == "holds more than 4 GiB of numbers, at four bytes each"


def parquet_of(columns: dict[str, object]) -> bytes:
    """A Parquet file in one row group with one page a column, each value written out."""
    file = io.BytesIO()
    options = {"compression": "zstd", "use_dictionary": False, "data_page_size": 1 << 30, "row_group_size": 10**9}
    parquet.write_table(pa.table(columns), file, write_batch_size=10**9, **options)
    return file.getvalue()


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda: parquet_of({"x": [1.0], "label": ["a" * (300 * MIB)]}), "takes more than 256 MiB of memory"),
        (lambda: b'[{"x": "' + b"a" * (300 * MIB), "memory"),
        (lambda: b"[{" + b",".join(b'"k%d": 1' % n for n in range(4_000_000)), "takes more than 256 MiB of memory"),
        (lambda: b'{"x": [' + b"[]," * 2_600_000 + b"1]}", "takes more than 256 MiB of memory"),
        (lambda: b'[{"x": ' + b"[" * (4 * MIB), "is no JSON after record 0"),
        (lambda: b"x,label\n1,a\n" + b"," * (7 * MIB), "line 3 has 7340033 cells, not 2"),
        (lambda: b'x,label\n1,"' + b"a\n" * (50 * MIB), "line 2: field larger than field limit"),
    ],
    ids=["cell", "text", "keys", "lists", "deep", "commas", "quote"],
)
def test_what_takes_too_much_memory_is_refused(tmp_path: Path, write: Callable[[], bytes], message: str) -> None:
    """A cell, page, record or line that unfolds beyond all bounds ends its own process, and is told."""
    assert message in imported(tmp_path, write())


def test_many_columns_are_read(tmp_path: Path) -> None:
    """As many columns as there may be fit into the same memory."""
    n = 19_999
    rows = (",".join(["0.123456"] * n) + ",a\n") * 20
    assert imported(tmp_path, (",".join(f"x{j}" for j in range(n)) + ",label\n" + rows).encode()) == ""
    assert imported(tmp_path, parquet_of({f"x{j}": [1.0, 2.0] for j in range(n)} | {"label": ["a", "b"]})) == ""


def test_archive_of_a_hundred_thousand_members_is_read(tmp_path: Path) -> None:
    """A long directory is no harm."""
    file = io.BytesIO(npz_file())
    with zipfile.ZipFile(file, "a") as archive:
        for n in range(100_000):
            archive.writestr(f"{n}.npy", b"")
    assert imported(tmp_path, file.getvalue()) == ""
