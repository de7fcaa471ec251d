import functools
import io
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from juniper_common.wire.datasets import DatasetMeta
from juniper_data.errors import DatasetDamagedError, DatasetNotFoundError, StoreError
from juniper_data.stores.file_system import FileSystemStore

MakeDataset = Callable[[int], tuple[DatasetMeta, io.BytesIO]]

# What the child processes run: puts and deletes datasets with artifacts of 100 kB.
CHILD = """
import hashlib, io, os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from juniper_common.wire.datasets import DatasetMeta
from juniper_data.stores.file_system import FileSystemStore

def dataset(number):
    content = number.to_bytes(8, "big") * 12_500
    return DatasetMeta(
        dataset_id=f"xor-1.0.0-{number:016x}", generator="xor", generator_version="1.0.0", params={}, n_samples=1,
        n_features=1, n_classes=1, n_train=1, n_test=0, class_distribution={}, created_at=datetime.now(UTC),
        checksum=hashlib.sha256(content).hexdigest(),
    ), io.BytesIO(content)

store = FileSystemStore(Path(sys.argv[1]))
"""

# Ends itself with SIGKILL at its nth step on the file system, so that every step is once the last.
KILLED = (
    CHILD
    + """
store.put(*dataset(1))
steps_left = int(sys.argv[2])
def step(event, arguments):
    global steps_left
    if event in ("open", "os.rename", "os.mkdir", "os.remove", "os.rmdir"):
        steps_left -= 1
        if steps_left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(step)
store.put(*dataset(2))
store.delete(dataset(1)[0].dataset_id)
steps_left = 0
"""
)

RACING = CHILD + "sys.stdin.read(1); print(sum(store.put(*dataset(number)).created for number in range(40)))"

ENDLESS = (
    CHILD
    + """
print("started", flush=True)
number = 0
while True:
    number += 1
    store.put(*dataset(number))
    if number % 3 == 0:
        store.delete(dataset(number)[0].dataset_id)
"""
)


def _verify_all(root: Path) -> list[str]:
    """The ids of a store that was opened anew; each artifact has its checksum, and nothing lies about."""
    store = FileSystemStore(root)
    ids = list(store.ids(1_000_000, 0))
    for dataset_id in ids:
        store.open_artifact(dataset_id).file.close()
    assert list((root / "scratch").iterdir()) == []
    assert sorted(path.name for path in (root / "datasets").iterdir()) == ids
    return ids


def test_what_was_put_is_found(store: FileSystemStore, make_dataset: MakeDataset) -> None:
    """Meta and artifact come back as they were."""
    meta, artifact = make_dataset(1)
    assert store.put(meta, artifact).created
    assert store.meta(meta.dataset_id) == meta
    found = store.open_artifact(meta.dataset_id)
    with found.file as file:
        assert file.read() == artifact.getvalue()
    assert (found.size, found.checksum) == (len(artifact.getvalue()), meta.checksum)


def test_first_writer_wins(store: FileSystemStore, make_dataset: MakeDataset) -> None:
    """A second dataset of the same id changes nothing, and gets what is there."""
    meta, artifact = make_dataset(1)
    store.put(meta, artifact)
    artifact.seek(0)
    again = store.put(meta.model_copy(update={"description": "second"}), artifact)
    assert (again.created, again.meta.description) == (False, None)


def test_artifact_must_have_its_checksum(store: FileSystemStore, make_dataset: MakeDataset) -> None:
    """What does not match its meta never becomes a dataset."""
    meta, _ = make_dataset(1)
    with pytest.raises(StoreError, match="checksum"):
        store.put(meta, io.BytesIO(b"something else"))
    assert store.ids(10, 0) == []


def test_ids_come_in_order_and_in_pages(store: FileSystemStore, make_dataset: MakeDataset) -> None:
    """Pages of ids line up without a gap."""
    for number in (3, 1, 2):
        store.put(*make_dataset(number))
    assert [dataset_id[-1] for dataset_id in store.ids(10, 0)] == ["1", "2", "3"]
    assert [dataset_id[-1] for dataset_id in store.ids(1, 1)] == ["2"]


def test_deleted_is_gone_and_may_come_again(store: FileSystemStore, make_dataset: MakeDataset) -> None:
    """After a delete there is nothing of that id, and its place is free."""
    meta, artifact = make_dataset(1)
    store.put(meta, artifact)
    store.delete(meta.dataset_id)
    calls: list[Callable[[str], object]] = [store.meta, store.open_artifact, store.delete]
    for call in calls:
        with pytest.raises(DatasetNotFoundError):
            call(meta.dataset_id)
    artifact.seek(0)
    assert store.put(meta, artifact).created


def test_open_artifact_outlives_its_dataset(store: FileSystemStore, make_dataset: MakeDataset) -> None:
    """A download that began is not broken by a delete."""
    meta, artifact = make_dataset(1)
    store.put(meta, artifact)
    with store.open_artifact(meta.dataset_id).file as file:
        store.delete(meta.dataset_id)
        assert file.read() == artifact.getvalue()


@pytest.mark.parametrize(
    "dataset_id",
    ["../../etc/passwd", "..", ".", "", "/etc/passwd", "xor-1.0.0-0000000000000001\n", "xor-1.0.0-0/../x", "a" * 500],
)
def test_ids_that_are_none_are_not_found(store: FileSystemStore, dataset_id: str) -> None:
    """No id leads out of the store."""
    record = functools.partial(store.record_access, at=datetime.now(UTC))
    calls: list[Callable[[str], object]] = [store.meta, store.open_artifact, store.delete, record]
    for call in calls:
        with pytest.raises(DatasetNotFoundError):
            call(dataset_id)


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("artifact.npz", b"artifact 2"),
        ("artifact.npz", None),
        ("meta.json", b"{"),
        ("meta.json", b'{"dataset_id": 1}'),
        ("meta.json", None),
        ("access", b"twice"),
    ],
)
def test_damage_is_noticed(
    store: FileSystemStore, make_dataset: MakeDataset, tmp_path: Path, file: str, content: bytes | None
) -> None:
    """Whichever file is not what was written, the reader is told, and a delete clears it away."""
    meta, artifact = make_dataset(1)
    store.put(meta, artifact)
    path = tmp_path / "state" / "datasets" / meta.dataset_id / file
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    with pytest.raises(DatasetDamagedError, match="delete it and create it again"):
        store.open_artifact(meta.dataset_id)
    store.delete(meta.dataset_id)
    artifact.seek(0)
    assert store.put(meta, artifact).created


def test_accesses_are_counted_by_all(store: FileSystemStore, make_dataset: MakeDataset) -> None:
    """Readers in several threads lose no count."""
    meta, artifact = make_dataset(1)
    store.put(meta, artifact)
    at = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
    threads = [threading.Thread(target=store.record_access, args=(meta.dataset_id, at)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = store.meta(meta.dataset_id)
    assert (found.access_count, found.last_accessed_at) == (20, at)


def test_damaged_access_record_is_noticed_by_the_next_access(
    store: FileSystemStore, make_dataset: MakeDataset, tmp_path: Path
) -> None:
    """An unreadable count is not silently started anew."""
    meta, artifact = make_dataset(1)
    store.put(meta, artifact)
    (tmp_path / "state" / "datasets" / meta.dataset_id / "access").write_bytes(b"x y")
    with pytest.raises(DatasetDamagedError):
        store.record_access(meta.dataset_id, datetime.now(UTC))


def test_check_passes_and_leaves_nothing(store: FileSystemStore, tmp_path: Path) -> None:
    """The self-check cleans up behind itself."""
    store.check()
    assert list((tmp_path / "state" / "scratch").iterdir()) == []


def test_check_fails_where_the_folder_is_gone(store: FileSystemStore, tmp_path: Path) -> None:
    """A store without its folder says so."""
    (tmp_path / "state" / "scratch").rmdir()
    with pytest.raises(StoreError, match="not writable"):
        store.check()


def test_root_that_cannot_be_is_an_error(tmp_path: Path) -> None:
    """A store cannot be made below a file."""
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot use"):
        FileSystemStore(tmp_path / "file")


def test_opening_a_store_leaves_the_scratch_of_the_living(tmp_path: Path) -> None:
    """Who opens the store does not sweep away what another is writing."""
    store = FileSystemStore(tmp_path)
    with store._scratch_folder("writing") as folder:
        FileSystemStore(tmp_path)
        assert folder.is_dir()


def test_full_disk_changes_nothing(store: FileSystemStore, make_dataset: MakeDataset, tmp_path: Path) -> None:
    """When the artifact cannot be written, there is no dataset and no rest of one."""

    class Full(io.BytesIO):
        def read(self, _: int | None = -1, /) -> bytes:
            raise OSError(28, os.strerror(28))

    meta, _ = make_dataset(1)
    with pytest.raises(StoreError, match="No space left"):
        store.put(meta, Full())
    assert store.ids(10, 0) == []
    assert list((tmp_path / "state" / "scratch").iterdir()) == []


def test_kill_at_every_step_leaves_before_or_after(tmp_path: Path) -> None:
    """Killed at any step of a put and a delete, the store is in one of the three states between them."""
    one, two = "xor-1.0.0-0000000000000001", "xor-1.0.0-0000000000000002"
    seen: list[list[str]] = []
    for step in range(1, 100):
        root = tmp_path / str(step)
        child = subprocess.run([sys.executable, "-c", KILLED, root, str(step)], check=False, timeout=60)
        seen.append(_verify_all(root))
        if child.returncode == 0:
            break
        assert child.returncode == -9
    assert len(seen) > 10
    states = [[one], [one, two], [two]]
    indices = [states.index(ids) for ids in seen]
    assert indices == sorted(indices)
    assert set(indices) == {0, 1, 2}


def test_kill_at_any_moment_leaves_whole_datasets(tmp_path: Path) -> None:
    """Killed from outside, again and again, a busy writer never leaves half a dataset."""
    for delay_s in (0.0, 0.003, 0.007, 0.013, 0.03, 0.06):
        with subprocess.Popen([sys.executable, "-c", ENDLESS, tmp_path], stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            child.stdout.readline()
            threading.Event().wait(delay_s)
            child.kill()
        _verify_all(tmp_path)


def test_two_processes_write_the_same_ids(tmp_path: Path) -> None:
    """Of two processes that put the same datasets at once, exactly one creates each."""
    FileSystemStore(tmp_path)
    command = [sys.executable, "-c", RACING, str(tmp_path)]
    children = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for child in children:
        assert child.stdin is not None
        child.stdin.write("g")
        child.stdin.flush()
    created = [int(child.communicate(timeout=60)[0]) for child in children]
    assert sum(created) == 40
    assert len(_verify_all(tmp_path)) == 40
