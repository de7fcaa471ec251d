"""What a replay tells its watchers between two snapshots."""

from pathlib import Path

import pytest

from juniper_cascor.runs.history import POINTS_PER_MESSAGE, Rows
from juniper_cascor.runs.replay_frames import FRAMES_KEPT, Frame, Frames, told
from juniper_cascor.snapshots import Card
from juniper_common.wire.training import CascadeAdd, MetricsMessage, Topology
from tests.unit.juniper_cascor.snapshot_data import CARD

from .growth_data import EPOCHS, IDS, network, rows, write_growth

NOW = 1e9


def at(epoch: int) -> Card:
    """What the snapshot of an epoch says of itself."""
    return CARD.model_copy(update={"epoch": epoch})


def frame(n_units: int, its_rows: Rows | None = None) -> Frame:
    """The run with so many units."""
    return Frame(str(n_units), at(n_units * EPOCHS), network(n_units), rows(n_units) if its_rows is None else its_rows)


def metrics(before: Frame | None, after: Frame) -> MetricsMessage:
    """The message with the rows."""
    ((_, message), *_) = told(before, after, NOW)
    assert isinstance(message, MetricsMessage)
    return message


def installed(before: Frame, after: Frame) -> list[CascadeAdd]:
    """The units that are told."""
    return [message for _, message in told(before, after, NOW) if isinstance(message, CascadeAdd)]


def test_a_step_tells_what_a_training_would() -> None:
    """The rows since, the new unit with the score that chose it, and the network."""
    messages = told(frame(1), frame(2), NOW)
    assert [kind for kind, _ in messages] == ["metrics", "cascade_add", "topology"]
    assert metrics(frame(1), frame(2)).points.epoch == list(range(101, 201))
    (unit,) = installed(frame(1), frame(2))
    assert (unit.hidden_unit_index, unit.total_hidden_units, unit.epoch) == (1, 2, 200)
    assert unit.correlation == pytest.approx(0.2)
    topology = messages[-1][1]
    assert isinstance(topology, Topology)
    assert len(topology.hidden_units) == 2


def test_a_leap_tells_of_every_unit() -> None:
    """As if it had been walked."""
    assert [unit.hidden_unit_index for unit in installed(frame(1), frame(3))] == [1, 2]


@pytest.mark.parametrize("before", [None, frame(3)])
def test_back_or_from_nowhere_everything_is_told_anew(before: Frame | None) -> None:
    """A watcher draws from the beginning, with every unit."""
    messages = told(before, frame(2), NOW)
    assert [kind for kind, _ in messages] == ["metrics", "cascade_add", "cascade_add", "topology"]
    assert metrics(before, frame(2)).points.epoch == list(range(1, 201))


def test_rows_are_told_at_the_time_when_they_are_shown() -> None:
    """A watcher drops rows that are older than those it holds."""
    assert metrics(frame(3), frame(1)).timestamp == NOW


def test_many_rows_are_thinned() -> None:
    """A message stays small, however long the run."""
    many = rows(30)
    assert len(metrics(None, frame(30, many)).points.epoch) <= POINTS_PER_MESSAGE + 2 * 30 + 1


def test_without_rows_the_network_alone_is_told() -> None:
    """A snapshot may hold no metrics."""
    none = rows(3)[:0]
    assert [kind for kind, _ in told(frame(1, none), frame(2, none), NOW)] == ["topology"]


def test_a_network_that_shrank_has_no_new_unit() -> None:
    """A finished run keeps what was best on its validation patterns."""
    kept = Frame("end", at(400), network(1), rows(3))
    assert installed(frame(3), kept) == []


def test_a_frame_is_what_the_snapshot_holds(tmp_path: Path) -> None:
    """Its epoch, its network and its rows."""
    write_growth(tmp_path)
    found = Frames(tmp_path, IDS).at(1)
    assert found is not None
    assert (found.snapshot_id, found.epoch, found.network.n_hidden_units, len(found.rows)) == (IDS[1], 200, 2, 200)


def test_a_damaged_snapshot_is_none(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is named in the log, and can be dropped for the next one."""
    path = write_growth(tmp_path)[0]
    path.write_bytes(path.read_bytes()[:-1])
    frames = Frames(tmp_path, IDS)
    assert frames.at(0) is None
    assert IDS[0] in caplog.text
    frames.drop(0)
    following = frames.at(0)
    assert following is not None
    assert following.snapshot_id == IDS[1]


def test_a_frame_is_kept_for_a_while(tmp_path: Path) -> None:
    """Back and forth does not read a file again, but not all of a long run stays in memory."""
    first = write_growth(tmp_path)[0]
    frames = Frames(tmp_path, IDS + [IDS[1], IDS[2]] * FRAMES_KEPT)
    kept = frames.at(0)
    assert frames.at(0) is kept
    first.unlink()
    assert frames.at(0) is kept
