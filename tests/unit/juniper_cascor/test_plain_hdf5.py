"""Hostile files, whose seal is in order: nothing of HDF5 is used but plain arrays of numbers."""

import ast
import pickle
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from juniper_cascor import plain_hdf5, snapshot_seal, snapshots
from juniper_cascor.snapshots import SnapshotError

from .snapshot_data import SNAPSHOT, Change, set_card, snapshot_with


def many_links(file: Any) -> None:
    """A thousand names of one array."""
    file["state/large"] = np.zeros(5_000)
    for i in range(900):
        file[f"state/name_{i}"] = file["state/large"]


HOSTILE: dict[str, tuple[Change, str]] = {
    "unknown member": (lambda file: file.create_dataset("extra", data=1), "it holds .*extra"),
    "unknown array of the network": (
        lambda file: file.create_dataset("network/foo", data=1.0),
        "a network has no array foo",
    ),
    "another type of metrics": (
        lambda file: (file.__delitem__("metrics/phase"), file.create_dataset("metrics/phase", data=np.zeros(4))),
        "metrics/phase holds float64, not uint8",
    ),
    "missing group": (lambda file: file.__delitem__("state"), "it lacks state"),
    "group for an array": (lambda file: file.create_group("state/deeper"), "deeper is no array"),
    "array for a group": (
        lambda file: (file.__delitem__("state"), file.create_dataset("state", data=1)),
        "state is no group",
    ),
    "cycle": (lambda file: file.__setitem__("state/up", file["/"]), "is no array"),
    "soft link": (lambda file: file.__setitem__("state/soft", h5py.SoftLink("/card")), "soft is a link"),
    "dangling link": (lambda file: file.__setitem__("state/soft", h5py.SoftLink("/none")), "soft is a link"),
    "external link": (
        lambda file: file.__setitem__("state/other", h5py.ExternalLink("/etc/passwd", "/")),
        "other is a link",
    ),
    "data in another file": (
        lambda file: file.create_dataset("state/raw", (8,), "u1", external=[("/etc/passwd", 0, 8)]),
        "not stored as plain numbers",
    ),
    "virtual dataset": (
        lambda file: file.create_virtual_dataset("state/virtual", h5py.VirtualLayout((2,), "f4")),
        "not stored as plain numbers",
    ),
    "compression bomb": (
        lambda file: file.create_dataset("state/bomb", data=np.zeros(1 << 20), compression="gzip"),
        "not stored as plain numbers",
    ),
    "chunks": (lambda file: file.create_dataset("state/chunked", (1 << 40,), "f4", chunks=(4,)), "not stored as plain"),
    "shape without data": (lambda file: file.create_dataset("state/huge", (1 << 40,), "f4"), "declares 4398046511104"),
    "small shape without data": (lambda file: file.create_dataset("state/blank", (9,), "f4"), "declares 36 bytes"),
    "shape that overflows": (
        lambda file: file.create_dataset("state/huge", (1 << 31, 1 << 31, 4), "f4"),
        "declares 73786976294838206464",
    ),
    "many names of one array": (many_links, "that the file does not hold"),
    "too many members": (
        lambda file: [file.create_dataset(f"state/{i}", data=1) for i in range(1_001)],
        "has 1005 members",
    ),
    "no dataspace": (lambda file: file.create_dataset("state/null", data=h5py.Empty("f4")), "null is no array"),
    "pickle": (
        lambda file: file.create_dataset("state/evil", data=np.void(pickle.dumps(Path))),
        "not stored as plain numbers",
    ),
    "variable length": (lambda file: file.create_dataset("state/text", data="text"), "not stored as plain numbers"),
    "reference": (
        lambda file: file.create_dataset("state/link", data=file["card"].ref, dtype=h5py.ref_dtype),
        "not stored as plain numbers",
    ),
    "compound": (
        lambda file: file.create_dataset("state/both", data=np.zeros(2, "f4,i4")),
        "not stored as plain numbers",
    ),
    "complex numbers": (lambda file: file.create_dataset("state/z", data=1j), "not stored as plain numbers"),
    "unknown column": (lambda file: file.create_dataset("metrics/loss", data=np.zeros(4)), "no column loss"),
    "short column": (
        lambda file: (file.__delitem__("metrics/score"), file.create_dataset("metrics/score", data=np.zeros(3))),
        "not equally long",
    ),
    "missing array": (lambda file: file.__delitem__("network/fan_ins"), "fan_ins"),
    "card that is no JSON": (set_card(b"{"), "Invalid JSON"),
    "card with an unknown field": (
        set_card(SNAPSHOT.card.model_dump_json().replace('"seed":7', '"seed":7,"more":1').encode()),
        "Extra inputs are not permitted",
    ),
    "nested card": (set_card(b"[" * 100_000), "JSON"),
}


@pytest.mark.parametrize(("change", "problem"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_file_is_refused(tmp_path: Path, change: Change, problem: str) -> None:
    """What no snapshot holds is refused before it takes effect."""
    with pytest.raises(SnapshotError, match=rf"bad\.h5 is damaged or no snapshot: (?s:.*){problem}"):
        snapshots.read(snapshot_with(tmp_path / "bad.h5", change))


@pytest.mark.parametrize("beyond", [-100, 0, 1 << 20, 1 << 62])
def test_data_that_reaches_beyond_the_file_is_refused(tmp_path: Path, beyond: int) -> None:
    """HDF5 itself sees that an array's address, here changed, is no place for it in the file."""
    path = tmp_path / "bad.h5"
    snapshots.write(path, replace(SNAPSHOT, state={"long": np.arange(5_000)}))
    with h5py.File(path) as file:
        stored = file["state/long"].id.get_offset() - snapshot_seal.BYTES
    content = path.read_bytes()
    assert content.count(struct.pack("<Q", stored)) == 1
    address = len(content) - snapshot_seal.BYTES + beyond
    moved = bytearray(content.replace(struct.pack("<Q", stored), struct.pack("<Q", address)))
    snapshot_seal.seal(memoryview(moved), snapshots.FORMAT)
    with pytest.raises(SnapshotError, match="damaged or no snapshot"):
        snapshots.parsed(bytes(moved), "bad.h5")


def test_attributes_are_not_read(tmp_path: Path) -> None:
    """Notes that a tool leaves on an object are no part of a snapshot."""
    path = snapshot_with(tmp_path / "noted.h5", lambda file: file["state"].attrs.create("note", "seen"))
    assert snapshots.read(path).card == SNAPSHOT.card


def test_a_file_larger_than_any_snapshot_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read into memory is bounded."""
    path = tmp_path / "large.h5"
    snapshots.write(path, SNAPSHOT)
    monkeypatch.setattr(snapshots, "MAX_BYTES", path.stat().st_size - 1)
    with pytest.raises(SnapshotError, match="larger than any snapshot"):
        snapshots.read(path)


def test_a_snapshot_too_large_to_be_read_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file before it stays."""
    path = tmp_path / "large.h5"
    snapshots.write(path, SNAPSHOT)
    before = path.read_bytes()
    monkeypatch.setattr(snapshots, "MAX_BYTES", len(before) - 1)
    with pytest.raises(OSError, match=f"a snapshot of {len(before)} bytes"):
        snapshots.write(path, SNAPSHOT)
    assert path.read_bytes() == before


def test_readers_of_format_1_find_the_number(tmp_path: Path) -> None:
    """The version before looked for the format in the attribute `card`, before anything else."""
    path = tmp_path / "good.h5"
    snapshots.write(path, SNAPSHOT)
    with h5py.File(path, "r") as file:
        assert file.attrs["card"] == '{"format":2}'


def test_an_image_names_what_is_no_number() -> None:
    """A text among the arrays is the caller's mistake."""
    with pytest.raises(TypeError, match="state/name holds <U4, not numbers"):
        plain_hdf5.image("{}", {"state": {"name": np.array("text")}}, user_block=512, attribute="{}")


def test_no_pickle_anywhere() -> None:
    """No module of Juniper loads a pickle or makes one."""
    root = Path(snapshots.__file__).parents[1]
    found = [
        f"{path.relative_to(root)}:{node.lineno}"
        for path in root.glob("juniper_*/**/*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.stmt | ast.expr) and may_pickle(node)
    ]
    assert found == []


PICKLERS = {"pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"}


def may_pickle(node: ast.stmt | ast.expr) -> bool:
    """Whether a piece of a program imports a pickler, or calls what pickles unless told not to."""
    if isinstance(node, ast.Import):
        return any(alias.name.split(".")[0] in PICKLERS for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        return (node.module or "").split(".")[0] in PICKLERS
    if not isinstance(node, ast.Call):
        return False
    allowed = [word.value for word in node.keywords if word.arg == "allow_pickle"]
    if any(not isinstance(value, ast.Constant) or value.value is not False for value in allowed):
        return True
    name = ast.unparse(node.func)
    return name in ("torch.load", "torch.save") or (
        name in ("np.save", "np.savez", "np.savez_compressed") and not allowed
    )


@pytest.mark.parametrize(
    "line",
    [
        "import pickle",
        "from joblib import dump",
        "np.load(path, allow_pickle=True)",
        "np.savez(path, x=x)",
        "torch.load(p)",
    ],
)
def test_a_pickle_would_be_found(line: str) -> None:
    """The search above sees each way."""
    assert any(isinstance(node, ast.stmt | ast.expr) and may_pickle(node) for node in ast.walk(ast.parse(line)))
