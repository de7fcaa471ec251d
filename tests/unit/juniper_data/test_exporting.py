import io
import json
import shutil
import subprocess
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from juniper_common.wire.datasets import CreateDatasetRequest
from juniper_data.catalog import Catalog
from juniper_data.errors import DatasetDamagedError
from juniper_data.exporting import PIECE_BYTES, export
from juniper_data.stores.memory import MemoryStore
from juniper_data.stores.protocol import Artifact, Quota
from tests.unit.juniper_data.creating import create

GONE = "xor-1.0.0-0000000000000000"
LARGE = 4_500_000_000
ZEROS = bytes(PIECE_BYTES)


class Zeros(io.IOBase):
    """A large file of which nothing is on the disk."""

    def __init__(self, size: int) -> None:
        self._left = size

    def read(self, size: int) -> bytes:
        """Some more."""
        piece = ZEROS[: min(size, self._left)]
        self._left -= len(piece)
        return piece


class WatchedStore(MemoryStore):
    """Notes which artifacts it opened. Some are worn: damaged, larger than can be, or shorter than they say."""

    def __init__(self) -> None:
        super().__init__(Quota())
        self.opened: list[BinaryIO] = []
        self.damaged = ""
        self.large = ""
        self.shrunken = ""

    def open_artifact(self, dataset_id: str) -> Artifact:
        """The artifact, in the state that it is in."""
        if dataset_id == self.damaged:
            raise DatasetDamagedError(dataset_id, "worn")
        artifact = super().open_artifact(dataset_id)
        if dataset_id == self.large:
            artifact = Artifact(cast("BinaryIO", Zeros(LARGE)), LARGE, artifact.checksum)
        if dataset_id == self.shrunken:
            artifact = Artifact(artifact.file, artifact.size + 1, artifact.checksum)
        self.opened.append(artifact.file)
        return artifact


@pytest.fixture
def store() -> WatchedStore:
    """An empty store."""
    return WatchedStore()


@pytest.fixture
def catalog(store: WatchedStore) -> Catalog:
    """A catalog of it."""
    return Catalog(store, clock=lambda: datetime(2026, 1, 1, 12, tzinfo=UTC))


def made(catalog: Catalog, seed: int, n: int = 5) -> str:
    """A dataset's id."""
    request = CreateDatasetRequest(generator="xor", params={"n_points_per_quadrant": n, "seed": seed})
    return create(catalog, request).meta.dataset_id


def test_each_artifact_and_a_manifest(catalog: Catalog) -> None:
    """The entries are the very artifacts, as they are, and the manifest tells their metas and what was not there."""
    one, two = made(catalog, 1), made(catalog, 2, n=10_000)
    exported = io.BytesIO(b"".join(export(catalog, [one, GONE, two])))
    with zipfile.ZipFile(exported) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [f"{one}.npz", f"{two}.npz", "manifest.json"]
        assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_STORED}
        for dataset_id in (one, two):
            with catalog.open_artifact(dataset_id).file as file:
                assert archive.read(f"{dataset_id}.npz") == file.read()
        manifest = json.loads(archive.read("manifest.json"))
    assert [meta["dataset_id"] for meta in manifest["datasets"]] == [one, two]
    assert manifest["datasets"][0]["checksum"] == catalog.checksum(one)
    assert [meta["profile"] for meta in manifest["datasets"]] == [None, None]
    assert (manifest["not_found"], manifest["damaged"]) == ([GONE], [])


@pytest.mark.skipif(shutil.which("unzip") is None, reason="needs unzip")
def test_others_can_read_it(catalog: Catalog, tmp_path: Path) -> None:
    """Info-ZIP finds nothing wrong."""
    path = tmp_path / "datasets.zip"
    path.write_bytes(b"".join(export(catalog, [made(catalog, 1), made(catalog, 2)])))
    told = subprocess.run(["unzip", "-t", path], capture_output=True, text=True, check=True).stdout
    assert "No errors detected" in told


def test_damaged_artifact_is_named_and_not_given(
    catalog: Catalog, store: WatchedStore, caplog: pytest.LogCaptureFixture
) -> None:
    """The others are given, the log tells of the damage."""
    one, store.damaged = made(catalog, 1), made(catalog, 2)
    with zipfile.ZipFile(io.BytesIO(b"".join(export(catalog, [store.damaged, one])))) as archive:
        assert archive.namelist() == [f"{one}.npz", "manifest.json"]
        assert json.loads(archive.read("manifest.json"))["damaged"] == [store.damaged]
    assert f"dataset '{store.damaged}' is damaged" in caplog.text


def test_artifact_that_became_shorter_ends_it(catalog: Catalog, store: WatchedStore) -> None:
    """What is not the whole artifact is never passed off as it, and its file is closed."""
    store.shrunken = made(catalog, 1)
    with pytest.raises(EOFError, match="ended 1 bytes early"):
        list(export(catalog, [store.shrunken]))
    assert store.opened[0].closed


def test_one_artifact_is_open_at_a_time(catalog: Catalog, store: WatchedStore) -> None:
    """Pieces stay small, and no file is open but the one that is read."""
    ids = [made(catalog, seed, n=10_000) for seed in range(3)]
    for piece in export(catalog, ids):
        assert len(piece) < PIECE_BYTES + 1000
        assert sum(not file.closed for file in store.opened) <= 1
    assert [file.closed for file in store.opened] == [True, True, True]


def test_leaving_midway_closes_the_artifact(catalog: Catalog, store: WatchedStore) -> None:
    """Who closes the iterator leaves no file open."""
    pieces = export(catalog, [made(catalog, 1, n=10_000)])
    next(pieces)
    assert not store.opened[0].closed
    pieces.close()
    assert store.opened[0].closed


def test_more_than_4_gb(catalog: Catalog, store: WatchedStore, tmp_path: Path) -> None:
    """An entry beyond the numbers of an old zip, and one behind it, are found."""
    store.large, small = made(catalog, 1), made(catalog, 2)
    path = tmp_path / "datasets.zip"
    with path.open("wb") as file:
        for piece in export(catalog, [store.large, small]):
            if piece == ZEROS:
                file.seek(PIECE_BYTES, io.SEEK_CUR)  # A hole: nothing is written.
            else:
                file.write(piece)
    with zipfile.ZipFile(path) as archive:
        assert archive.getinfo(f"{store.large}.npz").file_size == LARGE
        assert archive.getinfo(f"{small}.npz").header_offset > LARGE
        with catalog.open_artifact(small).file as artifact:
            assert archive.read(f"{small}.npz") == artifact.read()
