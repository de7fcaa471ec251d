"""`juniper-data sweep`: what it removes, what it says, and how it ends."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest

from juniper_common.wire.datasets import CreateDatasetRequest
from juniper_data.app import create_app
from juniper_data.catalog import Catalog, utc_now
from juniper_data.settings import Settings
from juniper_data.stores.file_system import FileSystemStore
from tests.serving import served
from tests.unit.juniper_data.creating import create


@pytest.fixture
def store(tmp_path: Path) -> Iterator[FileSystemStore]:
    """A store that some process has open."""
    store = FileSystemStore(tmp_path)
    yield store
    store.close()


def _sweep(state_dir: Path, *more: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    environment = os.environ | {"JUNIPER_DATA_STATE_DIR": str(state_dir)} | settings
    command = [sys.executable, "-m", "juniper_data", "sweep", *more]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def _artifacts(state_dir: Path) -> list[Path]:
    return list(state_dir.glob("artifacts/*/*"))


def _an_hour_ago() -> datetime:
    return utc_now() - timedelta(hours=1)


def _create(store: FileSystemStore, n: int, **notes: object) -> list[str]:
    catalog = Catalog(store, clock=_an_hour_ago)
    requests = [
        CreateDatasetRequest.model_validate({"generator": "xor", "params": {"seed": None}} | notes) for _ in range(n)
    ]
    return [create(catalog, request).meta.dataset_id for request in requests]


def test_what_has_expired_is_removed_with_its_file(tmp_path: Path, store: FileSystemStore) -> None:
    """All else stays; one line says how many of both there are."""
    _create(store, 2, ttl_seconds=1)
    (stays,) = _create(store, 1, ttl_seconds=5000)
    ended = _sweep(tmp_path)
    assert (ended.returncode, ended.stdout) == (0, "removed 2 expired datasets, 1 is left\n")
    assert store.ids(10, 0) == [stays]
    assert len(_artifacts(tmp_path)) == 1


def test_what_an_interrupted_call_left_is_removed(tmp_path: Path, store: FileSystemStore) -> None:
    """A file that no dataset names."""
    _create(store, 1)
    (whole,) = _artifacts(tmp_path)
    whole.with_name("xor-1.0.0-0123456789abcdef.0123456789abcdef.npz").write_bytes(b"half of")
    assert _sweep(tmp_path).stdout == "removed 0 expired datasets, 1 is left\n"
    assert _artifacts(tmp_path) == [whole]


def test_a_running_service_does_not_find_what_was_swept(tmp_path: Path, store: FileSystemStore) -> None:
    """The store is both processes' at once."""
    with served(create_app(Settings(state_dir=tmp_path), Catalog(store, clock=_an_hour_ago))) as url:
        made = httpx.post(f"{url}/v1/datasets", json={"generator": "xor", "ttl_seconds": 1}).json()
        artifact = f"{url}{made['artifact_url']}"
        assert httpx.get(artifact).status_code == 200
        assert _sweep(tmp_path).returncode == 0
        assert httpx.get(artifact).status_code == 404


def test_there_is_nothing_to_sweep_in_the_memory_of_another_process(tmp_path: Path) -> None:
    """It says so, touches nothing, and has not failed."""
    for store in ("memory", "cached:memory:memory"):
        ended = _sweep(tmp_path / "state", JUNIPER_DATA_STORE=store)
        assert (ended.returncode, ended.stdout.startswith("nothing to sweep")) == (0, True)
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("setting", ["JUNIPER_DATA_STORE", "JUNIPER_DATA_MAX_BYTES"])
def test_a_wrong_setting_is_one_line_and_78(tmp_path: Path, setting: str) -> None:
    """As where the service would not start."""
    ended = _sweep(tmp_path, **{setting: "many"})
    assert (ended.returncode, len(ended.stderr.splitlines())) == (78, 1)
    assert setting in ended.stderr


def test_a_state_folder_that_cannot_be_used_is_one_line_and_78(tmp_path: Path) -> None:
    """It names the setting."""
    (tmp_path / "state").touch()
    ended = _sweep(tmp_path / "state")
    assert (ended.returncode, len(ended.stderr.splitlines())) == (78, 1)
    assert "JUNIPER_DATA_STATE_DIR" in ended.stderr


def test_an_index_that_refuses_is_one_line_and_1(tmp_path: Path, store: FileSystemStore) -> None:
    """What stood in the way may be gone by the next sweep; the datasets are as before."""
    ids = _create(store, 1, ttl_seconds=1)
    with closing(sqlite3.connect(tmp_path / "index.sqlite")) as index:
        index.execute("CREATE TRIGGER stays BEFORE DELETE ON datasets BEGIN SELECT RAISE(ABORT, 'not now'); END")
    ended = _sweep(tmp_path)
    assert (ended.returncode, len(ended.stderr.splitlines())) == (1, 1)
    assert "not now" in ended.stderr
    assert store.ids(10, 0) == ids


def test_an_argument_without_a_meaning_is_one_line_and_64(tmp_path: Path) -> None:
    """Nothing was swept."""
    ended = _sweep(tmp_path / "state", "--all")
    assert (ended.returncode, len(ended.stderr.splitlines())) == (64, 1)
    assert not (tmp_path / "state").exists()
