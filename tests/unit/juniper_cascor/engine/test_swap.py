"""The data may be swapped while a training runs: from the next phase on it learns the new patterns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import ArrayLike, NDArray

from juniper_cascor.engine.backend import BackendName
from juniper_cascor.engine.errors import DataError, ParameterError, StateError
from juniper_cascor.engine.events import Progress
from juniper_cascor.engine.parameters import Parameters
from juniper_cascor.engine.training import Training

from .data import FAST, assert_same_network, grown, noisy_points
from .tested import BACKENDS


class Data(NamedTuple):
    """What a training learns, and what it watches."""

    x: NDArray[np.float32]
    y: NDArray[np.float64] | NDArray[np.float32]
    x_val: NDArray[np.float32]
    y_val: NDArray[np.float64] | NDArray[np.float32]


def classes(n: int, seed: int) -> Data:
    """Noisy points, and a dozen to watch."""
    return Data(*noisy_points(n, seed=seed), *noisy_points(12, seed=seed + 100))


def values(n: int, seed: int, mean: float, size: float) -> Data:
    """Two values for each point, of some mean and size."""
    x, _ = noisy_points(n, seed=seed)
    y = mean + size * np.column_stack([np.sin(2 * x[:, 0]), x[:, 1] * x[:, 2]])
    return Data(x[12:], y[12:], x[:12], y[:12])


A, B, C = classes(90, 0), classes(150, 1), classes(70, 2)
NUMBERS = values(90, 0, 100.0, 3.0), values(150, 1, -20.0, 500.0), values(70, 2, 0.0, 1e-3)
FAST_VALUES = replace(FAST, task="regression", error_threshold=1e-3)
WATCHFUL = replace(FAST, validation_patience=2, max_hidden_units=6, candidate_placement="sibling-or-descendant")
PATIENT = replace(FAST, output_patience=99, candidate_patience=99)  # every phase runs its 20 epochs
IN_OUTPUT_PHASE, IN_CANDIDATE_PHASE = 5, 25
KINDS = {
    "classification": (FAST, (A, B, C)),
    "early stopping": (WATCHFUL, (A, B, C)),
    "regression": (FAST_VALUES, NUMBERS),
}


def started(data: Data, parameters: Parameters, backend: BackendName | None = None) -> Training:
    """A training that has learnt nothing yet."""
    return Training.start(
        data.x, data.y, parameters, seed=5, x_val=data.x_val, y_val=data.y_val, backend=backend, threads=2
    )


def swap(training: Training, data: Data) -> None:
    """Give a training other patterns, with those to watch."""
    training.set_data(data.x, data.y, x_val=data.x_val, y_val=data.y_val)


def ended(
    first: Data,
    swaps: Mapping[int, Data],
    parameters: Parameters,
    backend: BackendName | None = None,
    *,
    chunk: int = 1000,
    is_restored: bool = False,
) -> Training:
    """A training to its end, given other data after certain epochs; perhaps restored after every chunk."""
    training, own, waiting, due = started(first, parameters, backend), first, None, dict(swaps)
    while training.finished is None:
        if training.epoch in due:
            waiting = due.pop(training.epoch)
            swap(training, waiting)
        until_due = min((epoch - training.epoch for epoch in due if epoch > training.epoch), default=chunk)
        if training.advance(min(chunk, until_due)).has_new_data:
            assert waiting is not None
            own, waiting = waiting, None
        if is_restored:
            training = Training.restore(
                own.x, own.y, parameters, training.state(), x_val=own.x_val, y_val=own.y_val, threads=1
            )
            if waiting is not None and training.finished is None:
                swap(training, waiting)
    return training


def gains(training: Training) -> tuple[int, int]:
    """Units since the loss was lowered, and units of the network that was best on validation patterns; −1 for none."""
    state = training.state()
    return int(state["n_without_gain"].item()), int(state["n_best_hidden_units"].item())


def until(training: Training, n_epochs: int) -> None:
    """Advance until so many epochs have run."""
    while training.epoch < n_epochs:
        training.advance(n_epochs - training.epoch)


def until_swapped(training: Training) -> Progress:
    """Advance to the end of the phase after which the new data is there: its last chunk."""
    while not (progress := training.advance()).has_new_data:
        pass
    return progress


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("parameters", "data"), KINDS.values(), ids=KINDS)
def test_chunks_and_interruptions_change_nothing(
    parameters: Parameters, data: tuple[Data, Data, Data], backend: BackendName
) -> None:
    """With swaps in both phases, the same network comes of chunks of any length, and of being restored after each."""
    swaps = {IN_OUTPUT_PHASE: data[1], 45: data[2]}
    unbroken = ended(data[0], swaps, parameters, backend)
    for chunk, is_restored in ((1, False), (7, False), (1, True), (7, True)):
        other = ended(data[0], swaps, parameters, backend, chunk=chunk, is_restored=is_restored)
        assert_same_network(other.network, unbroken.network)
        assert (other.epoch, other.finished, other.backend) == (unbroken.epoch, unbroken.finished, backend)


@settings(max_examples=20, deadline=None)
@given(
    epochs=st.lists(st.integers(1, 120), min_size=1, max_size=4, unique=True),
    chunk=st.integers(1, 30),
    is_restored=st.booleans(),
)
def test_swaps_at_any_epoch(epochs: list[int], chunk: int, is_restored: bool) -> None:
    """Whenever the data is swapped, it is the epochs of the swaps that decide the network."""
    swaps = {epoch: (B, C, A)[i % 3] for i, epoch in enumerate(sorted(epochs))}
    unbroken = ended(A, swaps, WATCHFUL)
    other = ended(A, swaps, WATCHFUL, chunk=chunk, is_restored=is_restored)
    assert_same_network(other.network, unbroken.network)
    assert (other.epoch, other.finished) == (unbroken.epoch, unbroken.finished)


def test_the_phase_that_runs_ends_on_its_own_data() -> None:
    """Until then every row is the one that it would have been, then the rows are of the new data."""
    plain, swapped = started(A, PATIENT), started(A, PATIENT)
    until(swapped, IN_OUTPUT_PHASE)
    swap(swapped, B)
    own = until_swapped(swapped).rows
    assert not swapped.has_next_data
    np.testing.assert_array_equal(own.train_loss, plain.advance().rows.train_loss[IN_OUTPUT_PHASE:])
    network = swapped.network
    first = swapped.advance(1)
    assert (first.phase, first.has_new_data) == ("output", False)
    for data, loss in (((B.x, B.y), first.rows.train_loss), ((B.x_val, B.y_val), first.rows.val_loss)):
        assert loss[0] == pytest.approx(((network.outputs(data[0]) - data[1]) ** 2).mean(), rel=1e-4)


def test_a_candidate_phase_still_installs_its_best() -> None:
    """A swap during a candidate phase waits for its installation; the next phase trains outputs on the new data."""
    plain, swapped = started(A, PATIENT), started(A, PATIENT)
    for training in (plain, swapped):
        until(training, IN_CANDIDATE_PHASE)
    swap(swapped, B)
    progress, expected = until_swapped(swapped), plain.advance()
    assert progress.installed is not None
    assert expected.installed is not None
    np.testing.assert_array_equal(progress.installed.weights, expected.installed.weights)
    assert_same_network(swapped.network, plain.network)
    assert swapped.phase == "output"


@pytest.mark.parametrize(
    ("change", "epoch"),
    [
        ({"error_threshold": 1.0, "output_epochs": 1}, 0),
        ({"max_hidden_units": 0}, IN_OUTPUT_PHASE),
        ({"max_iterations": 0}, IN_OUTPUT_PHASE),
        ({"correlation_threshold": 1e3}, IN_CANDIDATE_PHASE),
    ],
    ids=["solved", "max_hidden_units", "max_iterations", "no_candidate"],
)
def test_a_training_that_would_have_ended_goes_on(change: dict[str, Any], epoch: int) -> None:
    """It begins an output phase on the new data, and ends after that for the same reason."""
    parameters = replace(PATIENT, **change)
    swapped, plain = started(A, parameters), grown(started(A, parameters))
    until(swapped, epoch)
    swap(swapped, B)
    assert until_swapped(swapped).finished is None
    assert (swapped.epoch, swapped.phase) == (plain.epoch, "output")
    assert grown(swapped).finished == plain.finished
    assert swapped.epoch > plain.epoch


@pytest.mark.parametrize("epoch", [IN_OUTPUT_PHASE, IN_CANDIDATE_PHASE])
def test_a_spent_budget_ends_a_training_all_the_same(epoch: int) -> None:
    """No epoch beyond the budget is run on new data."""
    parameters = replace(PATIENT, max_epochs=epoch + 3)
    swapped = started(A, parameters)
    until(swapped, epoch)
    swap(swapped, B)
    assert grown(swapped).finished == "max_epochs"
    assert (swapped.epoch, swapped.has_next_data) == (parameters.max_epochs, False)
    assert_same_network(swapped.network, grown(started(A, parameters)).network)


def test_the_last_of_several_swaps_counts() -> None:
    """In one phase only the last one is seen."""
    assert_same_network(ended(A, {3: C, 9: B}, PATIENT).network, ended(A, {3: B}, PATIENT).network)


def test_a_swap_can_be_cancelled() -> None:
    """Then nothing has been."""
    training = started(A, PATIENT)
    until(training, IN_OUTPUT_PHASE)
    swap(training, B)
    training.cancel_data()
    assert not training.has_next_data
    assert_same_network(grown(training).network, grown(started(A, PATIENT)).network)


def test_all_installed_units_see_the_new_data() -> None:
    """After the swap growth goes on as from the network that was, on the new data alone."""
    parameters = replace(PATIENT, max_hidden_units=4)
    swapped = started(A, parameters)
    while swapped.network.n_hidden_units < 2:
        swapped.advance()
    swap(swapped, B)
    until_swapped(swapped)
    fresh = Training.start(B.x, B.y, parameters, seed=5, x_val=B.x_val, y_val=B.y_val, network=swapped.network)
    assert_same_network(grown(swapped).network, grown(fresh).network)


def test_gains_are_counted_anew() -> None:
    """Old losses neither end growth on the new data nor decide which network is best on it."""
    parameters = replace(PATIENT, validation_patience=1, patience=1, max_hidden_units=2, error_threshold=1e-6)
    training = started(A, parameters)
    training.advance()
    assert gains(training) == (0, 0)
    swap(training, B)
    until_swapped(training)
    assert gains(training) == (0, -1)
    training.advance()
    # A loss on the new data is the first one there, however large it is: it lowered what there was.
    assert gains(training) == (0, 1)


def test_validation_patterns_come_and_go() -> None:
    """The new data has its own, or none."""
    training = started(A, PATIENT)
    training.set_data(B.x, B.y)
    until_swapped(training)
    assert np.isnan(training.advance().rows.val_loss).all()
    swap(training, C)
    until_swapped(training)
    assert np.isfinite(training.advance().rows.val_loss).all()


def test_the_state_belongs_to_the_data_that_is_learnt() -> None:
    """To the old while the new waits, which is not part of it; then to the new."""
    training = started(A, PATIENT)
    until(training, IN_OUTPUT_PHASE)
    before = training.state()
    swap(training, B)
    np.testing.assert_equal(training.state(), before)
    until_swapped(training)
    with pytest.raises(StateError, match="other data"):
        Training.restore(A.x, A.y, PATIENT, training.state(), x_val=A.x_val, y_val=A.y_val)
    Training.restore(B.x, B.y, PATIENT, training.state(), x_val=B.x_val, y_val=B.y_val)


def test_a_regression_keeps_its_answers() -> None:
    """New values of another scale change nothing of what the network answers, until it learns them."""
    first, second, _ = NUMBERS
    training = started(first, FAST_VALUES)
    while training.phase != "output" or training.network.n_hidden_units < 2:
        training.advance()
    swap(training, second)
    before = training.network
    while not training.advance(1).has_new_data:  # the epoch that ends an output phase takes no step
        before = training.network
    after = training.network
    np.testing.assert_allclose(after.outputs(second.x), before.outputs(second.x), rtol=1e-5)
    np.testing.assert_array_equal(after.feature_mean, before.feature_mean)


@pytest.mark.parametrize("backend", BACKENDS)
def test_values_smaller_by_far_do_not_overflow(backend: BackendName) -> None:
    """What answered values of 1e30 answers none of 1e-30, but stays finite."""
    large, small = values(90, 0, 0.0, 1e30), values(90, 1, 0.0, 1e-30)
    network = ended(large, {IN_CANDIDATE_PHASE: small}, FAST_VALUES, backend).network
    assert np.isfinite(network.output_weights).all()
    assert np.isfinite(network.outputs(small.x)).all()


X, Y = B.x, B.y


@pytest.mark.parametrize(
    ("x", "y", "x_val", "y_val", "problem"),
    [
        (X[:, :2], Y, None, None, "x: has 2 columns, but the network 3 inputs"),
        (X, Y[:, :1], None, None, "y: has 1 columns, but the network 2 outputs"),
        (X, Y[:-1], None, None, "y: has 149 rows"),
        (X, Y * 2, None, None, "y row 0"),
        (X, np.eye(2)[np.zeros(150, int)], None, None, "one class only"),
        (np.full_like(X, np.nan), Y, None, None, "x row 0, column 0"),
        (X, Y, X[:5], None, "y_val: is missing"),
        (X, Y, X[:5, :1], Y[:5], "x_val: has 1 columns"),
    ],
)
def test_data_that_does_not_fit_is_refused(
    x: ArrayLike, y: ArrayLike, x_val: ArrayLike | None, y_val: ArrayLike | None, problem: str
) -> None:
    """It says what does not fit, and what waited before waits still."""
    training = started(A, PATIENT)
    swap(training, C)
    with pytest.raises(DataError, match=problem):
        training.set_data(x, y, x_val=x_val, y_val=y_val)
    assert training.has_next_data
    assert_same_network(grown(training).network, ended(A, {0: C}, PATIENT).network)


def test_class_weights_must_fit_the_new_classes() -> None:
    """They are of so many classes."""
    training = Training.start(A.x, A.y[:, :1], replace(FAST, class_weights=(1.0, 2.0)), seed=1)
    with pytest.raises(ParameterError, match="class_weights"):
        training.set_data(*noisy_points(90, n_classes=3))
    assert not training.has_next_data


def test_a_finished_training_takes_no_data() -> None:
    """There is no next phase."""
    with pytest.raises(ValueError, match="finished"):
        swap(grown(started(A, FAST)), B)
