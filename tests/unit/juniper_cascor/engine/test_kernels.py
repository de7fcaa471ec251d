"""The compiled loops' own functions."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from juniper_cascor.engine import batched_backend, batched_kernels, candidate_kernels, numba_math, output_kernels
from juniper_cascor.engine.activations import ACTIVATIONS, Activation, activate
from juniper_cascor.engine.parameters import Parameters
from juniper_cascor.engine.training import Training, warm_up

ENGINE = Path(numba_math.__file__).parent


def test_tanh_is_accurate() -> None:
    """The rational tanh is within 4.2e-7 of the true one, never beyond ±1, and odd."""
    x = np.concatenate([np.linspace(-10, 10, 4001), [-1e30, 1e30, 0.0, 1e-30]]).astype(np.float32)
    y = np.array([numba_math.tanh(value) for value in x])
    assert np.abs(y - np.tanh(x.astype(np.float64))).max() < 4.5e-7
    assert np.abs(y).max() <= 1
    np.testing.assert_array_equal(y[:4001], -y[4000::-1])


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activations_are_those_of_the_network(activation: Activation) -> None:
    """Training computes what the grown network will, within some roundings, and the slope of that."""
    x = np.concatenate([np.linspace(-12, 12, 4001), np.linspace(-3000, 3000, 999)]).astype(np.float32)
    values, slopes = np.empty_like(x), np.empty_like(x)
    numba_math.activate(x, len(x), ACTIVATIONS.index(activation), values, slopes)
    assert np.abs(values - activate(activation, x.astype(np.float64))).max() < 1e-6
    step = 1e-5
    high, low = (activate(activation, x.astype(np.float64) + sign * step) for sign in (1, -1))
    assert np.abs(slopes - (high - low) / (2 * step)).max() < 2e-6


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("x", [3e4, -1e9, 3e38])
def test_activations_of_absurd_sums_are_bounded(activation: Activation, x: float) -> None:
    """Whatever a unit sums up, it answers with something in [−1, 1]."""
    values, slopes = np.empty(1, np.float32), np.empty(1, np.float32)
    numba_math.activate(np.array([x], np.float32), 1, ACTIVATIONS.index(activation), values, slopes)
    assert abs(values[0]) <= 1


@pytest.mark.parametrize(
    ("kernels", "names"),
    [
        (output_kernels, ("numba_math.py",)),
        (candidate_kernels, ("numba_math.py",)),
        (batched_kernels, ("numba_math.py", "output_kernels.py", "candidate_kernels.py")),
    ],
)
def test_a_change_of_what_is_compiled_in_changes_the_file(kernels: object, names: tuple[str, ...]) -> None:
    """The cache of compiled code goes by a function's own file: that must change with what it inlines."""
    digest = hashlib.sha256(b"".join((ENGINE / name).read_bytes() for name in names)).hexdigest()[:16]
    assert digest == kernels.COMPILED_IN  # type: ignore[attr-defined]


def test_a_run_compiles_nothing() -> None:
    """Warming up has compiled what it needs: patterns that fill a tile and some that do not, and frozen weights."""
    warm_up()
    loops = [loop for loop, *_ in batched_kernels.KERNELS + candidate_kernels.KERNELS + output_kernels.KERNELS]
    before = [list(loop.signatures) for loop in loops]
    x = np.random.default_rng(1).standard_normal((3 * batched_backend.TILE // 2, 2))
    y = (x[:, :1] * x[:, 1:] > 0).astype(int)
    parameters = Parameters(max_hidden_units=1, candidate_epochs=3, output_epochs=3)
    network = None
    for _ in range(2):
        training = Training.start(x, y, parameters, seed=1, network=network, backend="numba-batched")
        while training.finished is None:
            training.advance()
        network, parameters = training.network, replace(parameters, max_hidden_units=2)
    assert training.network.n_hidden_units == 2
    assert [list(loop.signatures) for loop in loops] == before
