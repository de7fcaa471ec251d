"""What the contract does not say of stores on the file system: kills, full disks, other processes and damage."""

import io
import os
import re
import shutil
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest

from juniper_data.errors import DatasetDamagedError, QuotaExceededError, StoreError
from juniper_data.stores.file_system import FileSystemStore
from juniper_data.stores.protocol import Quota
from tests.small_disk import small_disk
from tests.unit.juniper_data.stores.made import content_of, id_of, later, made
from tests.unit.juniper_data.stores.samples import artifact_files, content, holding, reopened

MB = 1_000_000


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The folder of the store."""
    return tmp_path / "state"


@pytest.fixture
def one(store: FileSystemStore, root: Path) -> Path:
    """The artifact's file of a dataset that was put, beside another."""
    store.put(*made(1))
    (file,) = artifact_files(root)
    store.put(*made(2))
    return file


def ran(*arguments: object, wrapper: tuple[str, ...] = ()) -> str:
    """The last line that a program of its own prints."""
    command = [*wrapper, sys.executable, *map(str, arguments)]
    ended = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=250, check=False)
    assert ended.returncode == 0
    return ended.stdout.splitlines()[-1]


def code(text: str) -> str:
    """A store in the folder that is the first argument, and datasets, for a program of its own."""
    return f"""
import io, resource, sys
from pathlib import Path
from juniper_data.errors import StoreFullError
from juniper_data.stores.file_system import FileSystemStore
from tests.unit.juniper_data.stores.made import content_of, id_of, later, made
from tests.unit.juniper_data.stores.samples import artifact_files, contents, holding, reopened
root = Path(sys.argv[1])
store = FileSystemStore(root)
{text}
"""


def begun(text: str, root: Path) -> "subprocess.Popen[str]":
    """A program of its own that has opened the store."""
    command = [sys.executable, "-c", code(f"print('begun', flush=True)\n{text}"), str(root)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    return process


@pytest.mark.parametrize("change", ["put", "replace", "delete", "delete_expired"])
def test_kill_at_each_system_call_leaves_before_or_after(root: Path, change: str) -> None:
    """Whichever call of a change was the last, the store is whole, as before or as after, and nothing lies about."""
    before, after = map(int, ran("-m", "tests.unit.juniper_data.stores.killing", root, change).split())
    assert (before > 20, after > 3) == (True, True)


@pytest.mark.parametrize("stride", [41, pytest.param(3, marks=pytest.mark.soak)])
def test_kill_while_a_store_is_made_leaves_one_that_opens(root: Path, stride: int) -> None:
    """Half a store is made whole by the next who opens it."""
    assert int(ran("-m", "tests.unit.juniper_data.stores.killing", root, "open", stride)) > 500


@pytest.mark.parametrize("rounds", [24, pytest.param(600, marks=pytest.mark.soak)])
def test_kill_at_any_moment_loses_nothing_that_was_said_done(root: Path, rounds: int) -> None:
    """Two busy processes are killed again and again: each has done all it had said, at most one change more."""
    assert int(ran("-m", "tests.unit.juniper_data.stores.killing", root, "any", rounds)) > rounds


def test_what_the_killed_left_is_swept_when_the_store_is_opened(one: Path, root: Path) -> None:
    """A file without a row belongs to nobody."""
    left = one.with_name("left.npz")
    left.write_bytes(b"half")
    FileSystemStore(root).close()
    assert (left.exists(), one.exists()) == (False, True)


def test_what_the_killed_left_is_swept_with_what_has_expired(store: FileSystemStore, one: Path) -> None:
    """A service that runs for long does not gather it."""
    left = one.with_name("left.npz")
    left.write_bytes(b"half")
    assert store.delete_expired(later(0)) == []
    assert (left.exists(), one.exists()) == (False, True)


def test_a_sweep_spares_what_is_no_file(store: FileSystemStore, one: Path) -> None:
    """No call has made a folder or a pipe there; and the sweep does not wait for the pipe."""
    one.with_name("folder").mkdir()
    os.mkfifo(one.with_name("pipe"))
    store.delete_expired(later(0))
    assert one.with_name("folder").is_dir()


def test_a_sweep_spares_what_is_being_written(store: FileSystemStore, root: Path) -> None:
    """Who opens the store meanwhile, or sweeps it, takes nothing from the writer."""
    meta, artifact = made(1)

    class Source(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            FileSystemStore(root).close()
            store.delete_expired(later(0))
            return artifact.read(size)

    store.put(meta, Source())
    assert content(store, id_of(1)) == b"artifact 1"


def test_sweeping_all_the_time_takes_nothing_from_writers(store: FileSystemStore, root: Path) -> None:
    """However a sweep and a put meet."""
    with begun("while True: store.delete_expired(later(0))", root) as sweeper:
        for number in range(200):
            store.put(*made(number))
        assert sweeper.poll() is None
        sweeper.kill()
    assert reopened(root) == {id_of(number): content_of(number) for number in range(200)}


def test_processes_that_write_one_id_at_once_leave_one_whole_artifact(root: Path) -> None:
    """Of four that put the same ids, with content of their own, exactly one creates each; that content it has."""
    text = "print(*(n for n in range(40) if store.put(*holding(n, me * 20_000)).created))"
    processes = [begun(f"me = b'{number}'; {text}", root) for number in range(4)]
    created = [process.communicate(timeout=100)[0].split() for process in processes]
    expected = {id_of(int(n)): str(number).encode() * 20_000 for number, numbers in enumerate(created) for n in numbers}
    assert sum(map(len, created)) == len(expected) == 40
    assert reopened(root) == expected


def test_what_another_process_deletes_is_gone(store: FileSystemStore, one: Path, root: Path) -> None:
    """Its file too."""
    ran("-c", code("print(store.delete(id_of(1)))"), root)
    assert (store.ids(10, 0), one.exists()) == ([id_of(2)], False)


def test_an_artifact_larger_than_files_may_be_finds_no_room(root: Path) -> None:
    """Nothing is left of it, and what is smaller is still taken."""
    text = """
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, resource.RLIM_INFINITY))
store.put(*made(1))
try:
    store.put(*holding(2, bytes(3_000_000)))
except StoreFullError:
    store.put(*made(3))
    print(*store.ids(10, 0), len(artifact_files(root)))
"""
    assert ran("-c", code(text), root) == f"{id_of(1)} {id_of(3)} 2"


def test_a_full_disk_refuses_and_loses_nothing(root: Path) -> None:
    """Whether there is no room at all, or for the artifact and not for its row; when there is room, all goes on."""
    text = """
expected = {}
def put(number, size):
    try:
        store.put(*holding(number, bytes(size)))
    except StoreFullError:
        assert contents(store) == expected and len(artifact_files(root)) == len(expected)
        return False
    expected[id_of(number)] = bytes(size)
    return True
filler = (root / "filler").open("wb", buffering=0)
assert put(0, 5_000)
while True:
    try:
        filler.write(bytes(4096))
    except OSError:
        break
refused = 0
for number in range(1, 40):
    while not put(number, 4096):
        refused += 1
        filler.truncate(filler.seek(0, 2) - 4096)
refused += not put(100, 3_000_000)
filler.truncate(0)
assert put(100, 3_000_000)
assert reopened(root) == expected
print(refused)
"""
    assert int(ran("-c", code(text), root, wrapper=small_disk(root, "8m"))) > 40


def test_a_full_disk_can_be_emptied(root: Path) -> None:
    """Where nothing can be written any more, a store is opened and datasets are deleted nevertheless."""
    text = """
for number in range(200):
    store.put(*holding(number, bytes(4096)))
store.close()  # Now it has no log any more that is large enough already.
store = FileSystemStore(root)
def fill():
    with (root / "filler").open("ab", buffering=0) as filler:
        for size in (4096, 1):
            try:
                while True:
                    filler.write(bytes(size))
            except OSError:
                pass
for number in range(0, 100, 20):
    fill()
    store.delete(id_of(number))
    fill()
    assert len(store.delete_expired(later(0))) == 0
    fill()
    store.close()
    store = FileSystemStore(root)
try:
    store.put(*holding(1000, bytes(100_000)))
except StoreFullError:
    print(len(store.ids(1000, 0)))
"""
    assert ran("-c", code(text), root, wrapper=small_disk(root, "8m")) == "195"


def test_a_refused_dataset_leaves_no_file(root: Path) -> None:
    """Neither one that is over the quota, nor one that is not what it is said to be, nor one that cannot be read."""

    class Broken(io.BytesIO):
        def read(self, _: int | None = -1, /) -> bytes:
            raise OSError(5, "Input/output error")

    with closing(FileSystemStore(root, Quota(max_datasets=1))) as store:
        store.put(*made(1))
        with pytest.raises(QuotaExceededError):
            store.put(*made(2))
        with pytest.raises(StoreError, match="checksum"):
            store.put(made(2)[0], io.BytesIO(b"something else"))
        with pytest.raises(StoreError, match="Input/output error"):
            store.put(made(2)[0], Broken())
        assert not store.put(*made(1)).created
        assert len(artifact_files(root)) == 1


def test_the_file_of_what_was_replaced_is_removed(store: FileSystemStore, root: Path) -> None:
    """An expired dataset takes no room beside its successor."""
    store.put(*holding(1, b"old", created_at=later(0), expires_at=later(1)))
    store.put(*holding(1, b"new", created_at=later(2)))
    assert [file.read_bytes() for file in artifact_files(root)] == [b"new"]


def test_no_bit_may_differ(store: FileSystemStore, one: Path) -> None:
    """Each single one is found, and nothing is served."""
    whole = one.read_bytes()
    for bit in range(8 * len(whole)):
        flipped = int.from_bytes(whole) ^ 1 << bit
        one.write_bytes(flipped.to_bytes(len(whole)))
        with pytest.raises(DatasetDamagedError, match="checksum"):
            store.open_artifact(id_of(1))
    one.write_bytes(whole)
    assert content(store, id_of(1)) == whole


def _replaced_by(make: Callable[[Path], object]) -> Callable[[Path], None]:
    def replace(file: Path) -> None:
        file.unlink()
        make(file)

    return replace


DAMAGES: dict[str, Callable[[Path], object]] = {
    "truncated": lambda file: os.truncate(file, 5),
    "empty": lambda file: os.truncate(file, 0),
    "longer": lambda file: os.truncate(file, 100),
    "missing": Path.unlink,
    "another's": lambda file: file.write_bytes(content_of(2)),
    "a folder": _replaced_by(Path.mkdir),
    "a pipe": _replaced_by(os.mkfifo),
    "a link to nowhere": _replaced_by(lambda file: file.symlink_to("nowhere")),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_told_and_concerns_nothing_else(store: FileSystemStore, one: Path, damage: str) -> None:
    """The damaged one is never served, and can be deleted and made again."""
    DAMAGES[damage](one)
    with pytest.raises(DatasetDamagedError, match="delete it and create it again"):
        store.open_artifact(id_of(1))
    assert content(store, id_of(2)) == content_of(2)
    store.delete(id_of(1))
    assert store.put(*made(1)).created
    assert content(store, id_of(1)) == content_of(1)


def test_damage_of_a_large_artifact_is_found_though_it_was_whole_before(store: FileSystemStore, root: Path) -> None:
    """Even where whoever changed it set its time back."""
    store.put(*holding(1, bytes(2 * MB)))
    store.open_artifact(id_of(1)).file.close()
    (file,) = artifact_files(root)
    before = file.stat()
    with file.open("rb+") as changed:
        changed.seek(MB)
        changed.write(b"x")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(DatasetDamagedError):
        store.open_artifact(id_of(1))


def test_what_cannot_be_removed_is_deleted_all_the_same(
    store: FileSystemStore, one: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The log tells that it still takes room."""
    one.unlink()
    one.mkdir()
    store.delete(id_of(1))
    assert store.ids(10, 0) == [id_of(2)]
    assert "still takes room" in caplog.text


DAMAGED_INDEXES: dict[str, Callable[[Path], object]] = {
    "garbage": lambda index: index.write_bytes(b"no database" * 1000),
    "truncated": lambda index: os.truncate(index, index.stat().st_size // 2),
    "empty": lambda index: os.truncate(index, 0),
    "missing": Path.unlink,
}


@pytest.mark.parametrize("damage", DAMAGED_INDEXES)
def test_a_store_with_a_damaged_index_does_not_open(root: Path, damage: str) -> None:
    """Nor does it start anew, as if nothing had been there: what is restored from a backup is whole."""
    with closing(FileSystemStore(root)) as store:
        for number in range(50):
            store.put(*made(number))
    index = root / "index.sqlite"
    backup = index.read_bytes()
    DAMAGED_INDEXES[damage](index)
    with pytest.raises(StoreError, match=re.escape(str(index))):
        FileSystemStore(root)
    index.write_bytes(backup)
    assert len(reopened(root)) == 50


def test_no_damage_of_the_index_removes_an_artifact(root: Path) -> None:
    """Whichever page of it is overwritten."""
    with closing(FileSystemStore(root)) as store:
        for number in range(50):
            store.put(*made(number))
    index = root / "index.sqlite"
    whole = index.read_bytes()
    for start in range(0, len(whole), 4096):
        for noise in (bytes(4096), bytes([255]) * 4096):
            index.write_bytes(whole[:start] + noise + whole[start + 4096 :])
            with suppress(StoreError):
                FileSystemStore(root).close()
            assert len(artifact_files(root)) == 50
    index.write_bytes(whole)
    assert len(reopened(root)) == 50


def test_a_large_artifact_passes_through_little_memory(store: FileSystemStore) -> None:
    """It is never in memory as a whole, neither on its way in nor when it is verified."""
    meta, artifact = holding(1, bytes(32 * MB))
    tracemalloc.start()
    try:
        store.put(meta, artifact)
        store.open_artifact(id_of(1)).file.close()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 5 * MB


def test_a_store_whose_folder_is_gone_says_so(store: FileSystemStore, root: Path) -> None:
    """The check writes where artifacts go."""
    shutil.rmtree(root / "artifacts")
    with pytest.raises(StoreError, match="not writable"):
        store.check()


def test_a_check_leaves_nothing(store: FileSystemStore, root: Path) -> None:
    """No file of it stays."""
    before = sorted(root.rglob("*"))
    store.check()
    assert sorted(root.rglob("*")) == before


def test_a_store_cannot_be_made_below_a_file(tmp_path: Path) -> None:
    """It says where."""
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot use"):
        FileSystemStore(tmp_path / "file")
