"""On the chip the same run gives the same bits, however it was cut up."""

from __future__ import annotations

import pytest

from juniper_cascor.engine.backend import BackendName
from juniper_cascor.engine.parameters import Parameters
from juniper_cascor.engine.training import Training
from tests.unit.juniper_cascor.engine.data import assert_same_network, grown, noisy_points

KINDS = {
    "small": (150, Parameters(candidate_pool_size=40, max_hidden_units=3)),
    "large": (9000, Parameters(candidate_pool_size=600, max_hidden_units=2, candidate_objective="normalised")),
}


@pytest.mark.parametrize("kind", KINDS)
def test_twice_the_same(kind: str, backend: BackendName) -> None:
    """Another training of the same data, parameters and seed ends in the same network, bit for bit."""
    n, parameters = KINDS[kind]
    x, y = noisy_points(n, n_inputs=7, n_classes=3)
    first, second = (grown(Training.start(x, y, parameters, seed=2, backend=backend)) for _ in range(2))
    assert_same_network(first.network, second.network)
    assert first.epoch == second.epoch


@pytest.mark.parametrize("kind", KINDS)
def test_a_broken_training_ends_as_an_unbroken_one(kind: str, backend: BackendName) -> None:
    """In chunks of seven epochs, saved and restored after each, it ends in the same network, bit for bit."""
    n, parameters = KINDS[kind]
    x, y = noisy_points(n, n_inputs=7, n_classes=3)
    unbroken = grown(Training.start(x, y, parameters, seed=2, backend=backend))
    training = Training.start(x, y, parameters, seed=2, backend=backend)
    while training.finished is None:
        training.advance(7)
        training = Training.restore(x, y, parameters, training.state())
    assert_same_network(training.network, unbroken.network)


@pytest.mark.parametrize("backend", ["cupy"], indirect=True)
def test_memory_that_does_not_suffice_makes_waves(backend: BackendName) -> None:
    """With too little of the device's memory for a pool it is trained in parts, and comes to the same, bit for bit."""
    import cupy  # only where it is usable

    n, parameters = 9000, Parameters(candidate_pool_size=4096, candidate_epochs=3, output_epochs=3, max_hidden_units=1)
    x, y = noisy_points(n, n_inputs=700, n_classes=3)
    whole = grown(Training.start(x, y, parameters, seed=2, backend=backend))
    pool = cupy.get_default_memory_pool()
    pool.free_all_blocks()
    try:
        # Its state takes 4096 · 701 · 4 · 4 bytes, the features 9000 · 765 · 4.
        pool.set_limit(pool.used_bytes() + 80 * 2**20)
        parts = grown(Training.start(x, y, parameters, seed=2, backend=backend))
    finally:
        pool.set_limit(0)
    assert_same_network(parts.network, whole.network)
