"""Old runs and unused datasets go."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from juniper_cascor.runs import retention, snapshot_files
from juniper_cascor.runs.retention import Swept
from juniper_cascor.runs.store import RunStore
from juniper_common.errors import ConflictError, NotFoundError
from juniper_common.wire.run_queries import RunQuery

from .records import record

NOW = 1_000_000.0
A, B, C = "a" * 64, "b" * 64, "c" * 64


@pytest.fixture
def snapshots(tmp_path: Path) -> Path:
    """The folder of all runs' snapshots."""
    return tmp_path / "snapshots"


@pytest.fixture
def datasets(tmp_path: Path) -> Path:
    """The folder of datasets."""
    folder = tmp_path / "datasets"
    folder.mkdir()
    return folder


def _write_snapshot(folder: Path, run_id: str) -> Path:
    path = folder / run_id / "00001-000000100.h5"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"x")
    return path


def _write_dataset(folder: Path, name: str, age_s: float = 7_200) -> Path:
    path = folder / name
    path.write_bytes(b"x")
    os.utime(path, (NOW - age_s, NOW - age_s))
    return path


def _sweep(store: RunStore, snapshots: Path, datasets: Path, *spared: str) -> Swept:
    """Keep the newest run alone."""
    return retention.sweep(store, snapshots, datasets, keep_runs=1, keep_days=None, now=NOW, spared=spared)


def _add_ended(store: RunStore, number: int, checksum: str) -> None:
    store.add([record(number, status="STOPPED", ended_at=float(number), dataset_checksum=checksum)])


def test_an_expired_run_goes_with_all_that_is_kept_of_it(store: RunStore, snapshots: Path, datasets: Path) -> None:
    """Its record, its snapshots, and the dataset that it alone was trained on."""
    _add_ended(store, 1, A)
    _add_ended(store, 2, B)
    first, second = _write_snapshot(snapshots, "r1"), _write_snapshot(snapshots, "r2")
    unused, used = _write_dataset(datasets, f"{A}.npz"), _write_dataset(datasets, f"{B}.npz")
    assert _sweep(store, snapshots, datasets) == Swept(runs=("r1",), datasets=(A,))
    assert [run.id for run in store.page(RunQuery(limit=9)).runs] == ["r2"]
    assert (first.parent.exists(), second.exists()) == (False, True)
    assert (unused.exists(), used.exists()) == (False, True)


def test_a_dataset_that_was_just_fetched_stays(store: RunStore, snapshots: Path, datasets: Path) -> None:
    """A start may be about to record its run."""
    _write_dataset(datasets, f"{A}.npz", age_s=3_500)
    _write_dataset(datasets, f"{B}.npz", age_s=3_700)
    assert _sweep(store, snapshots, datasets).datasets == (B,)


def test_other_files_stay(store: RunStore, snapshots: Path, datasets: Path) -> None:
    """What is not named for a checksum is not the service's."""
    path = _write_dataset(datasets, "mine.npz")
    assert _sweep(store, snapshots, datasets) == Swept()
    assert path.exists()


def test_where_nothing_was_ever_kept_nothing_goes(store: RunStore, tmp_path: Path) -> None:
    """The folders are made when something is written."""
    assert _sweep(store, tmp_path / "a", tmp_path / "b") == Swept()


def test_a_run_in_use_is_spared(store: RunStore, snapshots: Path, datasets: Path) -> None:
    """Whoever uses its snapshots names it."""
    for number in (1, 2, 3):
        _add_ended(store, number, A)
    assert _sweep(store, snapshots, datasets, "r1").runs == ("r2",)


def test_what_cannot_be_deleted_stays_and_is_named(store: RunStore, snapshots: Path, datasets: Path) -> None:
    """With its record, so that the next sweep tries again; the others go."""
    for number in (1, 2, 3):
        _add_ended(store, number, A)
    snapshots.mkdir()
    (snapshots / "r1").symlink_to(datasets)  # which is not followed
    (datasets / f"{B}.npz").mkdir()
    os.utime(datasets / f"{B}.npz", (0, 0))
    swept = _sweep(store, snapshots, datasets)
    assert swept.runs == ("r2",)
    assert [problem.partition(" cannot")[0] for problem in swept.problems] == ["run r1", f"dataset {B}.npz"]
    assert store.get("r1") is not None


def test_a_run_that_has_ended_is_deleted(store: RunStore, snapshots: Path) -> None:
    """With its snapshots."""
    _add_ended(store, 1, A)
    path = _write_snapshot(snapshots, "r1")
    retention.delete_ended(store, snapshots, "r1")
    assert store.get("r1") is None
    assert not path.parent.exists()


def test_a_run_that_has_not_ended_is_not_deleted(store: RunStore, snapshots: Path) -> None:
    """It must be stopped first."""
    store.add([record(1)])
    path = _write_snapshot(snapshots, "r1")
    with pytest.raises(ConflictError, match="the run is STARTED; stop it first"):
        retention.delete_ended(store, snapshots, "r1")
    assert path.exists()


def test_a_run_is_deleted_once(store: RunStore, snapshots: Path) -> None:
    """However many ask for it at once: the others hear that there is none."""
    _add_ended(store, 1, A)
    for number in range(200):
        _write_snapshot(snapshots, f"r1/{number}")

    def delete(_: int) -> bool:
        try:
            retention.delete_ended(store, snapshots, "r1")
        except NotFoundError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(delete, range(8))) == 1
    assert list(snapshots.iterdir()) == []


def test_a_run_is_deleted_while_somebody_writes_there(store: RunStore, snapshots: Path) -> None:
    """What comes later is no reason to refuse."""
    _add_ended(store, 1, A)
    folder = _write_snapshot(snapshots, "r1").parent
    is_deleted = threading.Event()

    def write() -> None:
        number = 0
        while not is_deleted.is_set():
            number += 1
            with suppress(FileNotFoundError):
                (folder / f"{number}.h5").write_bytes(b"x")

    with ThreadPoolExecutor(1) as pool:
        pool.submit(write)
        try:
            retention.delete_ended(store, snapshots, "r1")
        finally:
            is_deleted.set()
    assert not folder.exists()


def test_what_a_kill_left_of_a_deletion_goes(store: RunStore, snapshots: Path, datasets: Path) -> None:
    """It is no run any more."""
    left = _write_snapshot(snapshots, ".r1.removed")
    assert snapshot_files.files(snapshots) == []
    with pytest.raises(NotFoundError):
        snapshot_files.file_of_id(snapshots, "~.r1.removed~2F00001-000000100.h5")
    assert _sweep(store, snapshots, datasets) == Swept()
    assert not left.parent.exists()


@pytest.mark.parametrize("run_id", ["r1", "..", "."])
def test_what_is_no_run_is_not_deleted(store: RunStore, snapshots: Path, run_id: str) -> None:
    """Whatever folder is there."""
    path = _write_snapshot(snapshots, "r1")
    with pytest.raises(NotFoundError, match="there is no run"):
        retention.delete_ended(store, snapshots, run_id)
    assert path.exists()
