"""Taking up a training from its snapshot."""

from dataclasses import replace
from pathlib import Path

import pytest

from juniper_cascor import snapshots, versions
from juniper_cascor.engine.training import Training
from juniper_cascor.resuming import differences, resume
from juniper_cascor.snapshots import Snapshot, SnapshotError
from tests.unit.juniper_cascor.engine.data import FAST, grown, noisy_points

from .snapshot_data import CARD, SNAPSHOT
from .test_snapshots import FORMAT_1

X, Y = noisy_points(90)
HERE = versions.here()
MADE_HERE = CARD.model_copy(update={"parameters": FAST.as_dict(), "versions": HERE})


def test_a_resumed_training_ends_as_the_unbroken_one(tmp_path: Path) -> None:
    """Through a file, in the middle of a phase: the same network bit for bit."""
    unbroken, broken = (Training.start(X, Y, FAST, seed=5, x_val=X[:9], y_val=Y[:9]) for _ in range(2))
    broken.advance(30)
    broken.advance(7)
    of_broken = {"hidden_units": broken.network.n_hidden_units, "labels": None, "feature_names": None}
    card = MADE_HERE.model_copy(update=of_broken)
    snapshots.write(tmp_path / "it.h5", Snapshot(card, broken.network, broken.state()))
    resumed = resume(snapshots.read(tmp_path / "it.h5"), X, Y, x_val=X[:9], y_val=Y[:9])
    arrays, expected = grown(resumed).network.arrays(), grown(unbroken).network.arrays()
    assert {name: array.tobytes() for name, array in arrays.items()} == {
        name: array.tobytes() for name, array in expected.items()
    }


def test_another_machine_is_said_to_be_one(caplog: pytest.LogCaptureFixture) -> None:
    """Bit for bit holds per processor and library version: a difference is a warning, not a refusal."""
    elsewhere = MADE_HERE.model_copy(update={"versions": HERE | {"cpu_target": "z80"}})
    assert differences(MADE_HERE) == []
    assert differences(elsewhere) == [f"cpu_target was z80, is {HERE['cpu_target']}"]
    training = Training.start(X, Y, FAST, seed=5)
    resume(Snapshot(elsewhere, training.network, training.state()), X, Y)
    assert "cpu_target was z80" in caplog.text


def test_format_1_cannot_be_resumed() -> None:
    """Its state belongs to an earlier engine: said so, instead of resumed wrong."""
    with pytest.raises(SnapshotError, match=r"no state to resume from \(format 1 kept one"):
        resume(snapshots.read(FORMAT_1), X, Y)


def test_a_network_that_was_kept_to_predict_cannot_be_resumed() -> None:
    """Without a state there is nothing to take up."""
    with pytest.raises(SnapshotError, match=r"no state to resume from \(none was kept\)"):
        resume(replace(SNAPSHOT, state={}), X, Y)


@pytest.mark.parametrize("parameters", [{"not_yet_invented": 1}, {"candidate_pool_size": -1}])
def test_parameters_of_another_version_are_refused(parameters: dict[str, int]) -> None:
    """A parameter that this version does not know is not left out in silence."""
    card = CARD.model_copy(update={"parameters": parameters})
    with pytest.raises(SnapshotError, match=next(iter(parameters))):
        resume(replace(SNAPSHOT, card=card), X, Y)
