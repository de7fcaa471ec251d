"""Where the snapshots of runs stand."""

from dataclasses import replace
from pathlib import Path

import pytest

from juniper_cascor import snapshots
from juniper_cascor.runs import snapshot_folder
from juniper_cascor.snapshots import Snapshot
from tests.unit.juniper_cascor.snapshot_data import CARD, SNAPSHOT

RUN = str(CARD.run_id)


def grown(epoch: int, hidden_units: int) -> Snapshot:
    """The run at another point."""
    return replace(SNAPSHOT, card=CARD.model_copy(update={"epoch": epoch, "hidden_units": hidden_units}))


def test_what_a_kill_left_goes_with_the_next_snapshot(tmp_path: Path) -> None:
    """Half-written files do not pile up."""
    first = snapshot_folder.write(tmp_path, SNAPSHOT)
    first.rename(first.with_name(f".{first.name}.0123abcd.partial"))
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
    assert snapshot_folder.newest_path(tmp_path, RUN) is None


def checkpoint(folder: Path, epoch: int) -> Path:
    """The run's latest state."""
    path = folder / RUN / snapshot_folder.CHECKPOINT
    snapshots.write(path, grown(epoch, 2))
    return path


def test_a_later_checkpoint_is_the_newest(tmp_path: Path) -> None:
    """What is between two numbered snapshots is not trained again."""
    snapshot_folder.write(tmp_path, grown(120, 2))
    path = checkpoint(tmp_path, 200)
    found = snapshot_folder.newest_path(tmp_path, RUN)
    assert found is not None
    assert (found[0], found[1].epoch) == (path, 200)


@pytest.mark.parametrize("epoch", [119, 120])
def test_an_earlier_checkpoint_is_passed_over(tmp_path: Path, epoch: int) -> None:
    """A numbered snapshot of the same epoch is preferred: nothing replaces it."""
    path = snapshot_folder.write(tmp_path, grown(120, 2))
    checkpoint(tmp_path, epoch)
    found = snapshot_folder.newest_path(tmp_path, RUN)
    assert found is not None
    assert found[0] == path


def test_a_damaged_checkpoint_is_passed_over(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The numbered snapshot before it is whole."""
    numbered = snapshot_folder.write(tmp_path, grown(120, 2))
    path = checkpoint(tmp_path, 200)
    path.write_bytes(path.read_bytes()[:-1])
    found = snapshot_folder.newest_path(tmp_path, RUN)
    assert found is not None
    assert found[0] == numbered
    assert path.name in caplog.text


def test_a_checkpoint_may_be_all_there_is(tmp_path: Path) -> None:
    """A run may be killed before its first hidden unit is installed."""
    (tmp_path / RUN).mkdir()
    path = checkpoint(tmp_path, 10)
    found = snapshot_folder.newest_path(tmp_path, RUN)
    assert found is not None
    assert found[0] == path


def test_another_runs_snapshot_is_never_gone_on_from(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever copied it there."""
    path = snapshot_folder.write(tmp_path, grown(120, 2))
    (tmp_path / "other").mkdir()
    path.rename(tmp_path / "other" / path.name)
    assert snapshot_folder.newest(tmp_path, "other") is None
    assert RUN in caplog.text


def test_a_history_is_in_the_order_of_its_epochs(tmp_path: Path) -> None:
    """Numbered snapshots alone, and the last one may have fewer units."""
    paths = [snapshot_folder.write(tmp_path, grown(epoch, units)) for epoch, units in ((120, 2), (250, 4), (300, 3))]
    checkpoint(tmp_path, 310)
    (tmp_path / RUN / "notes.h5").write_text("not ours")
    assert snapshot_folder.history(tmp_path, RUN) == paths
    assert snapshot_folder.history(tmp_path, "nobody") == []
