"""Which back end trains follows from the sizes alone."""

from __future__ import annotations

import pytest

from juniper_cascor.engine import backends
from juniper_cascor.engine.backend import GPU_BACKENDS, BackendName, GpuBackendName
from juniper_cascor.engine.errors import ParameterError
from juniper_cascor.engine.parameters import Parameters
from juniper_cascor.engine.training import Training

from .data import noisy_points

_SOME: list[frozenset[GpuBackendName]] = [frozenset(("cupy",)), frozenset(("torch",)), frozenset()]


@pytest.mark.parametrize(
    ("n_patterns", "n_inputs", "pool", "name"),
    [
        (194, 2, 8, "numba-serial"),
        (1200, 64, 8, "numba-parallel"),
        (10**6, 64, 1, "numba-serial"),
        (10_000, 64, 63, "numba-parallel"),
        (10_000, 64, 64, "numba-batched"),
        (60_000, 784, 8, "numba-batched"),
        (60_000, 784, 7, "numba-parallel"),
    ],
)
def test_the_table_of_sizes(n_patterns: int, n_inputs: int, pool: int, name: BackendName) -> None:
    """Each side of each limit has its own, where there is no GPU."""
    assert backends.chosen(n_patterns, n_inputs, pool, 64, frozenset) == name


@pytest.mark.parametrize(
    ("n_patterns", "n_inputs", "pool", "name"),
    [
        (194, 2, 8, "numba-serial"),
        (194, 2, 128, "cupy"),
        (2000, 16, 8, "cupy"),
        (10_000, 64, 3, "numba-parallel"),
        (10_000, 64, 8, "cupy"),
        (10_000, 64, 64, "torch"),
        (10_000, 64, 1024, "cupy"),
        (10_000, 256, 1024, "torch"),
        (60_000, 784, 8, "torch"),
    ],
)
def test_the_table_of_a_gpu(n_patterns: int, n_inputs: int, pool: int, name: BackendName) -> None:
    """As measured: docs/benchmarks/gpu.md."""
    assert backends.chosen(n_patterns, n_inputs, pool, 64, lambda: frozenset(GPU_BACKENDS)) == name


def test_where_one_of_a_gpu_is_lacking_the_other_trains() -> None:
    """And the CPU where both are."""
    names = [backends.chosen(60_000, 784, 64, 8, usable.copy) for usable in _SOME]
    assert names == ["cupy", "torch", "numba-batched"]


def test_a_training_says_and_keeps_its_back_end() -> None:
    """What the sizes choose, or what was asked for; a restored one trains with the same."""
    x, y = noisy_points(900, n_inputs=60)
    parameters = Parameters(candidate_pool_size=12)
    assert Training.start(x, y, parameters, seed=1).backend == "numba-parallel"
    training = Training.start(x, y, parameters, seed=1, backend="numba-batched")
    assert Training.restore(x, y, parameters, training.state()).backend == "numba-batched"


@pytest.mark.parametrize(("backend", "threads", "field"), [("abacus", None, "backend"), (None, 0, "threads")])
def test_what_there_is_not_is_refused(backend: BackendName | None, threads: int | None, field: str) -> None:
    """By the name of the argument."""
    x, y = noisy_points(20)
    with pytest.raises(ParameterError) as caught:
        Training.start(x, y, Parameters(), seed=1, backend=backend, threads=threads)
    assert caught.value.field == field
