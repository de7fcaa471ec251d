"""Parameters may change while a training runs: from the next phase on, and through every interruption."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from juniper_cascor.engine.backend import CPU_BACKENDS, BackendName
from juniper_cascor.engine.events import Outcome
from juniper_cascor.engine.network import Network
from juniper_cascor.engine.parameters import Parameters
from juniper_cascor.engine.training import Training

from .data import FAST, assert_same_network, grown, noisy_points

X, Y = noisy_points(90)
PATIENT = replace(FAST, output_patience=99, candidate_patience=99, max_hidden_units=2)
# In the first and the last output phase, in a candidate phase, and at its very end.
EPOCHS = (7, 30, 40, 93)
CHANGES: dict[str, dict[str, Any]] = {
    "more units": {"max_hidden_units": 4},
    "fewer units": {"max_hidden_units": 1},
    "no units": {"max_hidden_units": 0},
    "larger pool": {"candidate_pool_size": 70},
    "smaller pool": {"candidate_pool_size": 1},
    "pool of others": {"activation_function_name": "sin+gaussian", "candidate_placement": "sibling-or-descendant"},
    "longer phases": {"candidate_epochs": 33, "output_epochs": 44},
    "shorter phases": {"candidate_epochs": 3, "output_epochs": 2},
    "rates": {"learning_rate": 0.2, "candidate_learning_rate": 0.01},
    "optimizers": {"optimizer_type": "quickprop", "candidate_optimizer_type": "adam"},
    "budget": {"max_epochs": 95},
    "budget that is spent": {"max_epochs": 1},
}


def ended(
    backend: BackendName, change: dict[str, Any], epoch: int, *, chunk: int, is_restored: bool
) -> tuple[Network, int, Outcome | None]:
    """What a training comes to that is changed after so many epochs, and perhaps restored after every chunk."""
    parameters = PATIENT
    training = Training.start(X, Y, parameters, seed=5, backend=backend, threads=2)
    while training.finished is None:
        if training.epoch == epoch:
            parameters = replace(PATIENT, **change)
            training.set_parameters(parameters)
        training.advance(min(chunk, epoch - training.epoch) if training.epoch < epoch else chunk)
        if is_restored:
            training = Training.restore(X, Y, parameters, training.state(), threads=1)
            assert training.backend == backend
    return training.network, training.epoch, training.finished


@pytest.mark.parametrize("backend", CPU_BACKENDS)
@pytest.mark.parametrize("epoch", EPOCHS)
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_changed_training_ends_the_same_however_it_was_interrupted(
    change: dict[str, Any], epoch: int, backend: BackendName
) -> None:
    """Chunks of any length, and a restore after each, end in the network of the unbroken training."""
    network, *end = ended(backend, change, epoch, chunk=1000, is_restored=False)
    for chunk in (1, 6):
        other, *other_end = ended(backend, change, epoch, chunk=chunk, is_restored=True)
        assert_same_network(other, network)
        assert other_end == end


def test_raised_limits_are_grown_to() -> None:
    """A training that was to end with two units finds room for as many as it is told, restored among them or not."""
    raised = replace(PATIENT, max_hidden_units=70, candidate_epochs=2, output_epochs=2)
    training = Training.start(X, Y, PATIENT, seed=5)
    training.set_parameters(raised)
    while training.network.n_hidden_units < 66:
        training.advance()
    restored = Training.restore(X, Y, raised, training.state())
    assert grown(training).network.n_hidden_units == 70
    assert_same_network(grown(restored).network, training.network)


def test_a_lowered_limit_takes_no_unit_away() -> None:
    """Units that are there stay, and the phase that runs installs its own."""
    training = Training.start(X, Y, replace(PATIENT, max_hidden_units=9), seed=5)
    while training.phase != "candidate" or training.network.n_hidden_units < 2:
        training.advance()
    training.set_parameters(replace(PATIENT, max_hidden_units=1))
    assert grown(training).network.n_hidden_units == 3


def test_sizes_that_would_have_another_back_end_keep_theirs() -> None:
    """A back end is chosen once: what is changed later, and a restore with it, trains on the same."""
    x, y = noisy_points(900, n_inputs=60)
    small, large = Parameters(candidate_pool_size=1), Parameters(candidate_pool_size=12)
    training = Training.start(x, y, small, seed=1)
    training.set_parameters(large)
    assert training.backend == "numba-serial"
    assert Training.restore(x, y, large, training.state()).backend == "numba-serial"
    assert Training.start(x, y, large, seed=1).backend == "numba-parallel"
