"""A training may be cut anywhere, saved, and taken up again: no bit of the result changes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from juniper_cascor.engine.backend import BackendName
from juniper_cascor.engine.errors import StateError
from juniper_cascor.engine.parameters import Parameters
from juniper_cascor.engine.training import Training

from .data import FAST, KINDS, assert_same_network, grown, noisy_points
from .tested import BACKENDS

X, Y = noisy_points(90)
UNBROKEN = grown(Training.start(X, Y, FAST, seed=5))


@pytest.mark.parametrize("max_epochs", [1, 2, 7, 1000])
def test_chunk_ends_change_nothing(max_epochs: int) -> None:
    """Chunks of any length end in the same network."""
    training = grown(Training.start(X, Y, FAST, seed=5), max_epochs)
    assert_same_network(training.network, UNBROKEN.network)
    assert (training.epoch, training.finished) == (UNBROKEN.epoch, UNBROKEN.finished)


@settings(max_examples=40, deadline=None)
@given(chunks=st.lists(st.integers(1, 25), min_size=1, max_size=12), cuts=st.sets(st.integers(0, 11)))
def test_interruptions_change_nothing(chunks: list[int], cuts: set[int]) -> None:
    """After any chunks, saved and restored after any of them, training ends in the same network."""
    training = Training.start(X, Y, FAST, seed=5)
    for i, max_epochs in enumerate(chunks):
        if training.finished is None:
            training.advance(max_epochs)
        if i in cuts:
            training = Training.restore(X, Y, FAST, training.state())
    assert_same_network(grown(training).network, UNBROKEN.network)
    assert training.epoch == UNBROKEN.epoch


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("parameters", KINDS.values(), ids=KINDS)
def test_every_epoch_can_be_resumed_from(parameters: Parameters, backend: BackendName) -> None:
    """From the state after each single epoch the next one brings the same rows as without a break, and the same end."""
    training = Training.start(X, Y, parameters, seed=5, x_val=X[:9], y_val=Y[:9], backend=backend)
    while training.finished is None:
        restored = Training.restore(X, Y, parameters, training.state(), x_val=X[:9], y_val=Y[:9])
        assert (restored.phase, restored.epoch, restored.backend) == (training.phase, training.epoch, backend)
        rows, restored_rows = training.advance(1).rows, restored.advance(1).rows
        for name in ("epoch", "train_loss", "train_accuracy", "val_loss", "val_accuracy", "score"):
            np.testing.assert_array_equal(getattr(restored_rows, name), getattr(rows, name))
        assert restored.finished == training.finished
    assert_same_network(restored.network, training.network)


@pytest.mark.parametrize("parameters", KINDS.values(), ids=KINDS)
def test_a_broken_run_ends_as_an_unbroken_one(parameters: Parameters) -> None:
    """Restored after every chunk of some epochs, each kind of training ends in the same network."""
    unbroken = grown(Training.start(X, Y, parameters, seed=6, x_val=X[:9], y_val=Y[:9]))
    training = Training.start(X, Y, parameters, seed=6, x_val=X[:9], y_val=Y[:9])
    while training.finished is None:
        training.advance(7)
        training = Training.restore(X, Y, parameters, training.state(), x_val=X[:9], y_val=Y[:9])
    assert_same_network(training.network, unbroken.network)
    assert (training.epoch, training.finished) == (unbroken.epoch, unbroken.finished)


def test_state_is_a_copy() -> None:
    """What a training does after a state was taken does not reach into that state."""
    training = Training.start(X, Y, FAST, seed=5)
    training.advance(3)
    state = training.state()
    before = {name: array.tobytes() for name, array in state.items()}
    grown(training)
    assert {name: array.tobytes() for name, array in state.items()} == before


def test_state_survives_a_file(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A state is arrays of numbers: it goes through a file without pickling."""
    training = Training.start(X, Y, FAST, seed=5)
    for _ in range(3):
        training.advance(15)
    path = tmp_path_factory.mktemp("state") / "state.npz"
    np.savez(path, allow_pickle=False, **training.state())
    with np.load(path, allow_pickle=False) as saved:
        restored = Training.restore(X, Y, FAST, saved)
    assert_same_network(grown(restored).network, UNBROKEN.network)


def test_finished_stays_finished() -> None:
    """A finished training is restored as finished, for the same reason."""
    restored = Training.restore(X, Y, FAST, UNBROKEN.state())
    assert restored.finished == UNBROKEN.finished
    assert_same_network(restored.network, UNBROKEN.network)


def test_phase_keeps_its_parameters_through_a_restore() -> None:
    """Parameters set in the middle of a phase wait for the next one, through a restore too."""
    patient = replace(FAST, output_patience=99, candidate_patience=99)
    changed = replace(patient, candidate_epochs=5, output_epochs=5)
    unbroken = Training.start(X, Y, patient, seed=5)
    unbroken.advance(3)
    unbroken.set_parameters(changed)
    restored = Training.restore(X, Y, changed, unbroken.state())
    assert len(restored.advance().rows) == 17  # of the 20 epochs that the phase began with
    assert len(restored.advance().rows) == 5
    assert_same_network(grown(restored).network, grown(unbroken).network)


def test_other_data_is_refused() -> None:
    """A state is not taken up with patterns that it was not made on."""
    with pytest.raises(StateError, match="other data"):
        Training.restore(X + 1, Y, FAST, UNBROKEN.state())


@pytest.mark.parametrize("name", ["version", "seed", "hidden_weights", "output_weights", "output_clock"])
def test_incomplete_state_is_refused(name: str) -> None:
    """A state that lacks an array says which."""
    state = UNBROKEN.state()
    del state[name]
    with pytest.raises(StateError, match=name):
        Training.restore(X, Y, FAST, state)


def test_wrong_shape_is_refused() -> None:
    """A state whose array has another shape says which."""
    state = UNBROKEN.state()
    state["output_memory"] = state["output_memory"][:, :1]
    with pytest.raises(StateError, match="output_memory"):
        Training.restore(X, Y, FAST, state)


def candidate_state() -> dict[str, NDArray[np.generic]]:
    """The state of a training with two units in the middle of a candidate phase."""
    training = Training.start(X, Y, FAST, seed=5)
    while not (training.phase == "candidate" and training.network.n_hidden_units == 2):
        training.advance(7)
    training.advance(3)
    return training.state()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("version", []),
        ("backend", -1),
        ("backend", 99),
        ("finished", 99),
        ("pool", -4),
        ("pool", 10**9),
        ("epoch", -1),
        ("n_best_hidden_units", 40),
        ("measured", [0.5]),
        ("fan_ins", [4, 3_000_000]),
        ("fan_ins", [4, 6]),
        ("fan_ins", [-4, 12]),
        ("activations", [0]),
        ("activations", [0, 9]),
        ("activations", [0, -1]),
        ("hidden_weights", [1.0]),
        ("feature_mean", [[0.0], [0.0], [0.0]]),
        ("feature_scale", [1.0, 0.0, 1.0]),
        ("feature_scale", [1.0, np.nan, 1.0]),
        ("output_rule", [17]),
        ("output_limits", [0, 12]),
        ("output_limits", [20, -3]),
        ("output_clock", [-1, 0]),
        ("candidate_rule", [0, 7]),
        ("candidate_limits", [0, 12]),
        ("candidate_activations", [9, 0, 0, 0]),
        ("candidate_fan_ins", [0, 6, 6, 6]),
        ("candidate_fan_ins", [10**9, 6, 6, 6]),
    ],
)
def test_a_damaged_state_is_refused(name: str, value: object) -> None:
    """No value in a state leads a compiled loop out of its arrays, or round and round."""
    state = candidate_state()
    state[name] = np.array(value, state[name].dtype)
    with pytest.raises(StateError, match=name):
        Training.restore(X, Y, FAST, state)


def test_later_version_is_refused() -> None:
    """A state of a version that this code does not know is refused."""
    state = UNBROKEN.state() | {"version": np.array(99)}
    with pytest.raises(StateError, match="version 99"):
        Training.restore(X, Y, FAST, state)


def test_seed_decides() -> None:
    """The same seed grows the same network, another seed another one."""
    parameters = Parameters(max_hidden_units=1)
    networks = [grown(Training.start(X, Y, parameters, seed=seed)).network for seed in (8, 8, 9)]
    assert_same_network(networks[0], networks[1])
    assert (networks[0].hidden_weights[0] != networks[2].hidden_weights[0]).any()
