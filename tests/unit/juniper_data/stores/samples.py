"""Datasets with content of any kind, and what stores on the file system are found to hold."""

import hashlib
import io
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from juniper_common.wire.datasets import DatasetMeta
from juniper_data.stores.file_system import FileSystemStore
from juniper_data.stores.protocol import DatasetStore
from tests.unit.juniper_data.stores.made import made


def holding(number: int, content: bytes, **fields: Any) -> tuple[DatasetMeta, io.BytesIO]:
    """A dataset's meta and its artifact, which is this."""
    meta, _ = made(number, checksum=hashlib.sha256(content).hexdigest(), size_bytes=len(content), **fields)
    return meta, io.BytesIO(content)


def content(store: DatasetStore, dataset_id: str) -> bytes:
    """The whole artifact that a store has."""
    with store.open_artifact(dataset_id).file as file:
        return file.read()


def contents(store: DatasetStore) -> Mapping[str, bytes]:
    """All of a store's artifacts, by the datasets' ids."""
    return {dataset_id: content(store, dataset_id) for dataset_id in store.ids(1_000_000, 0)}


def artifact_files(root: Path) -> list[Path]:
    """The files beside a store's index."""
    return sorted((root / "artifacts").glob("*/*"))


def reopened(root: Path) -> Mapping[str, bytes]:
    """What a store holds when it is opened anew; beside that there is nothing in its folder."""
    with closing(FileSystemStore(root)) as store:
        found = contents(store)
        assert len(artifact_files(root)) == len(found)
    return found
