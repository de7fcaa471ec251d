"""Where the snapshots of runs stand."""

from dataclasses import replace
from pathlib import Path

import pytest

from juniper_cascor.runs import snapshot_folder
from juniper_cascor.snapshots import Snapshot
from tests.unit.juniper_cascor.snapshot_data import CARD, SNAPSHOT

RUN = str(CARD.run_id)


def grown(epoch: int, hidden_units: int) -> Snapshot:
    """The run at another point."""
    return replace(SNAPSHOT, card=CARD.model_copy(update={"epoch": epoch, "hidden_units": hidden_units}))


def test_a_list_tells_names_without_opening(tmp_path: Path) -> None:
    """A run's snapshots are listed by what their names say; other files are not."""
    path = snapshot_folder.write(tmp_path, SNAPSHOT)
    (path.parent / "notes.h5").write_text("not ours")
    (info,) = snapshot_folder.listed(tmp_path)
    assert (info.run_id, info.epoch, info.hidden_units) == (RUN, 120, 2)
    assert info.size_bytes == path.stat().st_size


def test_what_a_kill_left_goes_with_the_next_snapshot(tmp_path: Path) -> None:
    """Half-written files do not pile up, and are never listed."""
    first = snapshot_folder.write(tmp_path, SNAPSHOT)
    first.rename(first.with_name(f".{first.name}.0123abcd.partial"))
    assert snapshot_folder.listed(tmp_path) == []
    path = snapshot_folder.write(tmp_path, grown(150, 3))
    assert list(path.parent.iterdir()) == [path]


def test_the_newest_is_that_of_the_last_epoch(tmp_path: Path) -> None:
    """A finished run's network may be a smaller one that was better on validation patterns."""
    for epoch, units in ((120, 2), (300, 2), (250, 4)):
        snapshot_folder.write(tmp_path, grown(epoch, units))
    found = snapshot_folder.newest(tmp_path, RUN)
    assert found is not None
    assert found.card.epoch == 300


def test_the_newest_that_reads_well_is_found(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A damaged snapshot is passed over for the one before it, and named in the log."""
    snapshot_folder.write(tmp_path, grown(120, 2))
    last = snapshot_folder.write(tmp_path, grown(250, 4))
    last.write_bytes(last.read_bytes()[:-1])
    found = snapshot_folder.newest(tmp_path, RUN)
    assert found is not None
    assert found.card.epoch == 120
    assert last.name in caplog.text


def test_there_may_be_none(tmp_path: Path) -> None:
    """A run that was killed before its first snapshot has no newest one."""
    assert snapshot_folder.newest(tmp_path, RUN) is None
