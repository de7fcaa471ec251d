"""What a snapshot folder holds, and what each file in it is."""

import errno
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import h5py
import pytest

from juniper_cascor import snapshot_seal, snapshots
from juniper_cascor.runs import snapshot_catalogue, snapshot_folder
from juniper_cascor.runs.snapshot_catalogue import SnapshotCatalogue
from juniper_common.errors import ConflictError, NotFoundError
from juniper_common.wire.snapshots import SnapshotInfo
from tests.unit.juniper_cascor.snapshot_data import CARD, SNAPSHOT

RUN = str(CARD.run_id)
ID = f"{RUN}.00002-000000120"
LOOSE = "net.h5"
NUMBERED = f"{RUN}/00002-000000120.h5"


def flipped(path: Path) -> None:
    """One byte of it changes."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def without_its_mark(path: Path) -> None:
    """Its very first byte changes."""
    path.write_bytes(b"\0" + path.read_bytes()[1:])


def cut(path: Path) -> None:
    """It ends early."""
    path.write_bytes(path.read_bytes()[:-1])


def newer(path: Path) -> None:
    """A later version has written it."""
    content = bytearray(path.read_bytes())
    snapshot_seal.seal(memoryview(content), snapshots.FORMAT + 1)
    path.write_bytes(content)


def text(path: Path) -> None:
    """Something else."""
    path.write_text("notes")


def random(path: Path) -> None:
    """Something else, and much of it."""
    path.write_bytes(os.urandom(5_000))


def empty(path: Path) -> None:
    """A file that was made and never written."""
    path.write_bytes(b"")


def hdf5(path: Path) -> None:
    """Another program's HDF5 file."""
    with h5py.File(path, "w") as file:
        file["data"] = [1, 2, 3]


def renamed(path: Path) -> None:
    """Under a name that says another epoch."""
    path.rename(path.with_name("00002-000000121.h5"))


def unnumbered(path: Path) -> None:
    """Under a name that no run gives."""
    path.rename(path.with_name("best.h5"))


def huge(path: Path) -> None:
    """Larger than any snapshot; it takes no room on the disk."""
    path.write_bytes(b"")
    os.truncate(path, snapshots.MAX_BYTES + 1)


def whole(path: Path) -> None:
    """As it was written."""
    assert path.exists()


Change = Callable[[Path], None]


@pytest.mark.parametrize(
    ("change", "loose", "numbered"),
    [
        (whole, "whole", "whole"),
        (flipped, "damaged", "damaged"),
        (cut, "damaged", "damaged"),
        (without_its_mark, "foreign", "damaged"),
        (newer, "newer", "newer"),
        (text, "foreign", "damaged"),
        (random, "foreign", "damaged"),
        (empty, "foreign", "damaged"),
        (hdf5, "foreign", "foreign"),
        (huge, "foreign", "damaged"),
        (renamed, "whole", "foreign"),
        (unnumbered, "whole", "foreign"),
    ],
)
def test_each_file_is_listed_as_what_it_is(tmp_path: Path, change: Change, loose: str, numbered: str) -> None:
    """Whole or why not: by its content, and in a run's folder by its name too."""
    for name, state in ((LOOSE, loose), (NUMBERED, numbered)):
        folder = tmp_path / name.replace("/", "-")
        (folder / name).parent.mkdir(parents=True)
        snapshots.write(folder / name, SNAPSHOT)
        change(folder / name)
        (info,) = SnapshotCatalogue(folder).listed().snapshots
        assert info.state == state
        assert (info.problem is None) == (state == "whole")


def test_another_program_s_file_is_said_to_be(tmp_path: Path) -> None:
    """In words that are no other program's."""
    hdf5(tmp_path / LOOSE)
    problem = "net.h5 is no snapshot: it is an HDF5 file of another program: it has no card"
    assert snapshot_catalogue.info(tmp_path, "~net.h5").problem == problem


def grown(folder: Path, epoch: int, run_id: str = RUN) -> Path:
    """The run's snapshot of this epoch, written that many seconds after 1970."""
    card = CARD.model_copy(update={"epoch": epoch, "run_id": run_id})
    path = snapshot_folder.write(folder, replace(SNAPSHOT, card=card))
    os.utime(path, (epoch, epoch))
    return path


def test_a_whole_snapshot_is_told_by_its_card(tmp_path: Path) -> None:
    """How far it had grown, and whether a training can go on from it."""
    path = grown(tmp_path, 120)
    (info,) = SnapshotCatalogue(tmp_path).listed().snapshots
    size = path.stat().st_size
    assert info == SnapshotInfo(
        id=ID, run_id=RUN, epoch=120, hidden_units=2, created_at=120.0, size_bytes=size, can_resume=True
    )


def test_a_snapshot_without_a_state_cannot_be_resumed(tmp_path: Path) -> None:
    """A network kept to predict."""
    snapshots.write(tmp_path / LOOSE, replace(SNAPSHOT, state={}))
    (info,) = SnapshotCatalogue(tmp_path).listed().snapshots
    assert (info.run_id, info.state, info.can_resume) == (None, "whole", False)


def test_a_damaged_one_is_told_by_its_name(tmp_path: Path) -> None:
    """All that is still known of it."""
    cut(grown(tmp_path, 120))
    (info,) = SnapshotCatalogue(tmp_path).listed().snapshots
    assert (info.id, info.run_id, info.epoch, info.hidden_units, info.can_resume) == (ID, RUN, 120, 2, False)
    assert info.problem is not None
    assert "bytes of" in info.problem


def test_pages_are_newest_first(tmp_path: Path) -> None:
    """The total counts what is on no page too."""
    for epoch in (10, 30, 20):
        grown(tmp_path, epoch)
    page = SnapshotCatalogue(tmp_path).listed(limit=2, offset=1)
    assert ([info.epoch for info in page.snapshots], page.total) == ([20, 10], 3)


def test_a_run_and_a_state_can_be_asked_for(tmp_path: Path) -> None:
    """Both at once, too."""
    grown(tmp_path, 10, "other")
    cut(grown(tmp_path, 20, "other"))
    cut(grown(tmp_path, 30))
    catalogue = SnapshotCatalogue(tmp_path)
    assert catalogue.listed(run_id="other").total == 2
    assert [info.epoch for info in catalogue.listed(state="damaged").snapshots] == [30, 20]
    assert [info.epoch for info in catalogue.listed(run_id="other", state="damaged").snapshots] == [20]


def test_the_newest_that_is_whole_is_found(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A damaged one and another run's are passed over, and named in the log."""
    grown(tmp_path, 10)
    grown(tmp_path, 20)
    cut(grown(tmp_path, 30))
    grown(tmp_path, 40, "other").rename(tmp_path / RUN / "00002-000000040.h5")
    assert SnapshotCatalogue(tmp_path).newest_id(RUN) == f"{RUN}.00002-000000020"
    assert f"{RUN}.00002-000000030 is damaged" in caplog.text
    assert f"{RUN}.00002-000000040 is foreign" in caplog.text


@pytest.mark.parametrize("run_id", [RUN, "other", "..", "a\nb"])
def test_there_may_be_no_newest(tmp_path: Path, run_id: str) -> None:
    """All are damaged, there is no such run, or it can be none."""
    cut(grown(tmp_path, 30))
    with pytest.raises(NotFoundError, match="snapshot of run") as refused:
        SnapshotCatalogue(tmp_path).newest_id(run_id)
    assert refused.value.fields[0].loc == ["run_id"]
    assert refused.value.message.isprintable()


def rewritten_in_secret(path: Path, change: Change) -> None:
    """The content changes, but nothing that a look at the folder could tell it by."""
    before = path.stat()
    change(path)
    os.truncate(path, before.st_size)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_what_was_found_is_remembered_while_the_file_stays(tmp_path: Path) -> None:
    """A file is read once; when it is written again, it is read again."""
    path = grown(tmp_path, 120)
    catalogue = SnapshotCatalogue(tmp_path)
    catalogue.listed()
    rewritten_in_secret(path, flipped)
    assert catalogue.listed().snapshots[0].state == "whole"
    os.utime(path, (999, 999))
    assert catalogue.listed().snapshots[0].state == "damaged"


def test_only_the_page_is_read(tmp_path: Path) -> None:
    """What was not listed yet is not known yet."""
    first = grown(tmp_path, 10)
    last = grown(tmp_path, 20)
    catalogue = SnapshotCatalogue(tmp_path)
    catalogue.listed(limit=1)
    rewritten_in_secret(first, flipped)
    rewritten_in_secret(last, flipped)
    assert [info.state for info in catalogue.listed().snapshots] == ["whole", "damaged"]


def test_what_is_remembered_is_bounded(tmp_path: Path) -> None:
    """The files that were listed longest ago are forgotten."""
    paths = [grown(tmp_path, epoch) for epoch in (10, 20, 30)]
    catalogue = SnapshotCatalogue(tmp_path, remembered=1)
    catalogue.listed()
    for path in paths:
        rewritten_in_secret(path, flipped)
    assert [catalogue.listed(1, offset).snapshots[0].state for offset in (2, 1)] == ["whole", "damaged"]


def test_thousands_are_listed_without_being_read(tmp_path: Path) -> None:
    """A page of many files costs no more than its own."""
    (tmp_path / RUN).mkdir()
    for epoch in range(5_000):
        (tmp_path / RUN / f"00001-{epoch:09}.h5").touch()
    page = SnapshotCatalogue(tmp_path, remembered=10).listed(limit=1)
    assert (len(page.snapshots), page.total) == (1, 5_000)


def test_a_name_that_is_no_text_can_be_listed(tmp_path: Path) -> None:
    """Neither the problem nor the run breaks the answer."""
    folder = tmp_path / os.fsdecode(b"\xff")
    folder.mkdir()
    (folder / os.fsdecode(b"\xfe")).write_text("notes")
    (info,) = SnapshotCatalogue(tmp_path).listed().snapshots
    assert (info.id, info.run_id, info.state) == ("~~FF~2F~FE", r"\udcff", "foreign")
    assert info.model_dump_json()


def test_a_whole_one_is_described(tmp_path: Path) -> None:
    """Its card, its network's size and its newest metrics."""
    grown(tmp_path, 120)
    detail = snapshot_catalogue.describe(tmp_path, ID)
    assert detail.card is not None
    assert (detail.card.seed, detail.card.parameters) == (7, CARD.parameters)
    assert detail.network is not None
    assert detail.network.model_dump() == {"inputs": 2, "hidden_units": 2, "outputs": 2, "weights": 17}
    assert detail.metrics is not None
    assert detail.metrics.epoch == 3
    assert detail.state == "whole"


def test_another_is_described_by_what_is_wrong(tmp_path: Path) -> None:
    """There is no card to show."""
    text(tmp_path / LOOSE)
    detail = snapshot_catalogue.describe(tmp_path, "~net.h5")
    assert (detail.state, detail.card, detail.network, detail.metrics) == ("foreign", None, None, None)
    assert snapshot_catalogue.info(tmp_path, "~net.h5").problem == detail.problem


def test_only_a_whole_one_is_opened(tmp_path: Path) -> None:
    """Another cannot be restored, and says why."""
    path = grown(tmp_path, 120)
    assert snapshot_catalogue.opened(tmp_path, ID).card == CARD
    cut(path)
    with pytest.raises(ConflictError, match=r"is damaged: .*bytes of"):
        snapshot_catalogue.opened(tmp_path, ID)


def test_a_file_is_deleted_once(tmp_path: Path) -> None:
    """Whatever it is."""
    text(tmp_path / LOOSE)
    snapshot_catalogue.delete(tmp_path, "~net.h5")
    assert SnapshotCatalogue(tmp_path).listed().total == 0
    with pytest.raises(NotFoundError):
        snapshot_catalogue.delete(tmp_path, "~net.h5")


def test_a_file_that_the_disk_refuses_is_unreadable() -> None:
    """A file of the kernel's that refuses to be read, whoever asks."""
    info = snapshot_catalogue.info(Path("/proc/self"), "~mem")
    assert (info.state, info.problem) == ("unreadable", f"mem cannot be read: {os.strerror(errno.EIO)}")
