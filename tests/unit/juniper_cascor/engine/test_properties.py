"""What holds of every training, whatever its data and parameters."""

from __future__ import annotations

import itertools
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from juniper_cascor.engine import backends
from juniper_cascor.engine.activations import ACTIVATIONS, activate
from juniper_cascor.engine.backend import BackendName, CandidateState
from juniper_cascor.engine.initial_weights import candidate_weights
from juniper_cascor.engine.parameters import Objective, Optimizer, Parameters, Placement
from juniper_cascor.engine.training import Training
from juniper_cascor.engine.training_data import TrainingData

from .data import grown, noisy_points
from .tested import BACKENDS

ROUNDING = 1e-4
"""Of sums in float32 that are taken in another order, over a few epochs."""

seeds = st.integers(0, 2**63 - 1)
sizes = st.integers(12, 700)
kinds = st.builds(
    Parameters,
    max_hidden_units=st.just(3),
    candidate_pool_size=st.integers(2, 9),
    candidate_epochs=st.integers(2, 30),
    output_epochs=st.integers(1, 20),
    activation_function_name=st.lists(st.sampled_from(ACTIVATIONS), min_size=1, unique=True).map("+".join),
    candidate_optimizer_type=st.sampled_from(get_args(Optimizer)),
    optimizer_type=st.sampled_from(get_args(Optimizer)),
    candidate_objective=st.sampled_from(get_args(Objective)),
    candidate_placement=st.sampled_from(get_args(Placement)),
    output_ridge=st.sampled_from([0.0, 1e-3]),
)
names = st.sampled_from([name for name in BACKENDS if name != "torch"])  # whose small operations take too long here
"""Parameters of every kind, small enough to be quick."""


def pool_after(
    parameters: Parameters, weights: NDArray[np.float32], name: BackendName, epochs: int, n: int = 150
) -> CandidateState:
    """Candidates with these first weights after so many epochs, on noisy points whose outputs are untrained."""
    x, y = noisy_points(n)
    data = TrainingData(x, y, None, None, parameters, None)
    backend = backends.make(name, data, parameters, 2)
    backend.measure_residuals(np.zeros((2, 4), np.float32))
    state = CandidateState.start(weights.copy(), np.full(len(weights), 4, np.int64), 2, parameters, 10**6)
    done = 0
    while done < epochs and state.active.any():
        done += len(backend.train_candidates(state, epochs - done).best_scores)
    backend.bring_back(state)
    return state


@settings(max_examples=25, deadline=None)
@given(parameters=kinds, name=names, seed=seeds, order=st.permutations(range(6)))
def test_scores_do_not_depend_on_the_order_of_candidates(
    parameters: Parameters, name: BackendName, seed: int, order: list[int]
) -> None:
    """Candidates in another order score the same, each for itself."""
    weights = candidate_weights(seed, 0, 6, 4)
    alike = Parameters(
        candidate_optimizer_type=parameters.candidate_optimizer_type,
        candidate_objective=parameters.candidate_objective,
        candidate_patience=1000,
    )
    scores = pool_after(alike, weights, name, 6).scores
    shuffled = pool_after(alike, weights[order], name, 6).scores
    if name == "numba-batched":  # a product's rounding may depend on the place in it
        np.testing.assert_allclose(shuffled, scores[order], rtol=ROUNDING, atol=ROUNDING)
    else:
        np.testing.assert_array_equal(shuffled, scores[order])


@settings(max_examples=25, deadline=None)
@given(name=names, n=sizes, objective=st.sampled_from(get_args(Objective)), seed=st.integers(0, 999))
def test_scores_do_not_depend_on_the_order_of_patterns(
    name: BackendName, n: int, objective: Objective, seed: int
) -> None:
    """Patterns in another order have the same scores but for rounding.

    Quickprop's first steps go by the gradient, so they differ by rounding too; those of the others go by its sign.
    """
    x, y = noisy_points(n)
    order = np.random.default_rng(seed).permutation(n)
    parameters = Parameters(
        output_epochs=2,
        candidate_epochs=3,
        candidate_objective=objective,
        optimizer_type="quickprop",
        candidate_optimizer_type="quickprop",
    )
    scores = []
    for rows in (slice(None), order):
        training = Training.start(x[rows], y[rows], parameters, seed=seed, backend=name)
        while (progress := training.advance()).candidate_scores is None:
            pass
        scores.append(progress.candidate_scores)
    np.testing.assert_allclose(scores[0], scores[1], rtol=ROUNDING, atol=ROUNDING)


@settings(max_examples=15, deadline=None)
@given(
    parameters=kinds,
    name=st.sampled_from(["numba-parallel", "numba-batched"]),
    n=st.sampled_from([100, 5000, 9000]),
    threads=st.integers(2, 5),
    seed=seeds,
)
def test_threads_change_no_bit(parameters: Parameters, name: BackendName, n: int, threads: int, seed: int) -> None:
    """Any number of threads grows the same network, bit for bit."""
    x, y = noisy_points(n)
    one, several = (
        grown(Training.start(x, y, parameters, seed=seed, backend=name, threads=count)).network
        for count in (1, threads)
    )
    assert one.output_weights.tobytes() == several.output_weights.tobytes()
    assert [w.tobytes() for w in one.hidden_weights] == [w.tobytes() for w in several.hidden_weights]


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_serial_and_parallel_are_the_same(threads: int) -> None:
    """Sharing the candidates out changes no bit: only who computes them."""
    x, y = noisy_points(300)
    parameters = Parameters(max_hidden_units=4, candidate_pool_size=13)
    networks = [
        grown(Training.start(x, y, parameters, seed=3, backend=name, threads=threads)).network
        for name in ("numba-serial", "numba-parallel")
    ]
    assert networks[0].output_weights.tobytes() == networks[1].output_weights.tobytes()


@settings(max_examples=25, deadline=None)
@given(parameters=kinds, name=names, n=sizes, seed=seeds)
def test_a_cached_row_is_a_fresh_forward_pass(parameters: Parameters, name: BackendName, n: int, seed: int) -> None:
    """An installed unit's row of activations is what it computes of the rows before, and 0 in the padding."""
    x, y = noisy_points(n)
    training = grown(Training.start(x, y, parameters, seed=seed, backend=name))
    network, cached = training.network, cached_rows(training)
    for i, (weights, activation) in enumerate(zip(network.hidden_weights, network.activations, strict=True)):
        row = cached[1 + network.n_inputs + i]
        seen = cached[: len(weights), :n].astype(np.float64)
        rounding = 1e-6 * (1 + np.abs(weights) @ np.abs(seen))
        assert (np.abs(row[:n] - activate(activation, weights @ seen)) <= rounding).all()
        assert not row[n:].any()
    again = Training.restore(x, y, parameters, training.state())
    n_rows = 1 + network.n_inputs + network.n_hidden_units
    assert cached_rows(again)[:n_rows].tobytes() == cached[:n_rows].tobytes()


def cached_rows(training: Training) -> NDArray[np.float32]:
    """The back end's features: [1 + inputs + units and more, patterns and padding]."""
    rows: NDArray[np.float32] = training._backend._train.features  # type: ignore[attr-defined] # the cache is what is tested
    return rows


@settings(max_examples=25, deadline=None)
@given(parameters=kinds, name=names, seed=seeds, epochs=st.lists(st.integers(1, 40), min_size=2, max_size=4))
def test_more_epochs_never_lower_the_kept_best_score(
    parameters: Parameters, name: BackendName, seed: int, epochs: list[int]
) -> None:
    """A candidate keeps its best epoch, so after more of them it is as good or better."""
    weights = candidate_weights(seed, 0, 5, 4)
    scores = [pool_after(parameters, weights, name, count).scores for count in sorted(epochs)]
    for fewer, more in itertools.pairwise(scores):
        assert (more >= fewer).all()


@settings(max_examples=20, deadline=None)
@given(parameters=kinds, name=names, seed=seeds)
def test_scores_are_those_of_the_kept_weights(parameters: Parameters, name: BackendName, seed: int) -> None:
    """The kept weights have the kept score: one epoch from them measures it again."""
    state = pool_after(parameters, candidate_weights(seed, 0, 5, 4), name, 20)
    again = pool_after(parameters, state.best_weights, name, 1)
    np.testing.assert_allclose(again.scores, state.scores, rtol=1e-3, atol=1e-5)
