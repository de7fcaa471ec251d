"""The torch back end on torch's CPU, with kernels under g++: what it computes; cutting it up changes no bit."""

from __future__ import annotations

import gc
import shutil
import sys
import weakref
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from typing import Any, get_args

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from juniper_cascor import engine
from juniper_cascor.engine import torch_backend
from juniper_cascor.engine.activations import ACTIVATIONS, activate
from juniper_cascor.engine.backend import CandidateState, OutputState
from juniper_cascor.engine.cuda import device as cuda
from juniper_cascor.engine.errors import DeviceError, DeviceMemoryError
from juniper_cascor.engine.initial_weights import candidate_weights
from juniper_cascor.engine.parameters import Objective, Optimizer, Parameters
from juniper_cascor.engine.torch_backend import TorchBackend, gpu
from juniper_cascor.engine.torch_candidates import rows_for, segments_for
from juniper_cascor.engine.torch_math import Plan
from juniper_cascor.engine.training import Training
from juniper_cascor.engine.training_data import TrainingData

from . import reference
from .cuda.shim_device import ShimDevice
from .data import FAST, grown, noisy_points
from .test_reference import TOLERANCE, inner

pytestmark = pytest.mark.skipif(shutil.which("g++") is None, reason="there is no g++")

OPTIMIZERS = get_args(Optimizer)
MIXED = "sin+gaussian+tanh+sigmoid"
CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def device(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The CPU stands in for the GPU, with one thread: several wait for one another where others work too."""
    monkeypatch.setattr(torch_backend, "gpu", lambda: CPU)
    monkeypatch.setattr(cuda, "CudaDevice", ShimDevice)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def started(x: NDArray[np.float32], y: NDArray[np.float32], parameters: Parameters, **changes: Any) -> Training:
    """A training on this back end."""
    return Training.start(x, y, parameters, seed=1, backend="torch", **changes)


@pytest.mark.parametrize("n_outputs", [1, 3])
def test_rows_are_those_of_the_other_back_ends(n_outputs: int) -> None:
    """Losses and accuracies of both sets; in the first epoch all outputs are equal, and the first of them is chosen."""
    x, y = noisy_points(333, n_classes=max(2, n_outputs))
    targets = y if n_outputs > 1 else y[:, :1]
    own, other = (
        Training.start(x, targets, FAST, seed=1, backend=name, x_val=x[:50], y_val=targets[:50]).advance().rows
        for name in ("torch", "numba-serial")
    )
    for name in ("train_accuracy", "val_accuracy"):
        np.testing.assert_array_equal(getattr(own, name), getattr(other, name))
    for name in ("train_loss", "val_loss"):
        np.testing.assert_allclose(getattr(own, name), getattr(other, name), rtol=TOLERANCE)


@pytest.mark.parametrize("max_epochs", [None, 1])
def test_a_solved_layer_keeps_the_weights_that_solved(max_epochs: int | None) -> None:
    """The phase ends with the epoch that measured so, whatever the chunk has still to run."""
    x = np.array([[-2.0], [-1.0], [1.0], [3.0]], np.float32)
    y = (x > 0).astype(np.float32)
    features = reference.standardised(x.astype(np.float64))
    weights, losses, has_solved = reference.train_outputs(features, inner(y), np.zeros((1, 2)), epochs=200)
    assert has_solved
    training = grown(started(x, y, Parameters()), max_epochs)
    assert (training.finished, training.epoch) == ("solved", len(losses))
    np.testing.assert_allclose(training.network.output_weights, weights, rtol=TOLERANCE, atol=TOLERANCE)


def made(x: NDArray[np.float32], y: NDArray[np.float32], plan: Plan) -> TorchBackend:
    """A back end of these patterns."""
    data = TrainingData(x, y, None, None, Parameters(), None)
    return TorchBackend(data.patterns, data.validation, data.task, CPU, plan=plan)


def trained_pool(
    weights: NDArray[np.float32],
    parameters: Parameters,
    *,
    n: int = 150,
    plan: Plan | None = None,
    max_epochs: int | None = None,
    skipped: slice = slice(0),
    order: NDArray[np.int64] | None = None,
) -> CandidateState:
    """Candidates with these first weights in this order after their phase; some have stopped before."""
    x, y = noisy_points(n, n_classes=3)
    backend = made(x, y, plan or Plan(rows=32))
    backend.measure_residuals(candidate_weights(9, 0, 3, 4))
    state = CandidateState.start(weights.copy(), np.full(len(weights), 4, np.int64), 3, parameters, 30)
    state.active[skipped] = False
    if order is not None:
        for name in ("weights", "best_weights", "activations", "active"):
            getattr(state, name)[...] = getattr(state, name)[order]
    while state.active.any():
        backend.train_candidates(state, max_epochs)
    backend.bring_back(state)
    return state


def assert_same_candidates(state: CandidateState, other: CandidateState, chosen: Any = slice(None)) -> None:
    """Compare those that are chosen bit for bit with those of another pool, in their order."""
    for item in fields(CandidateState):
        if item.name not in ("clock", "limits", "rule", "settings"):
            own = getattr(state, item.name)[chosen]
            np.testing.assert_array_equal(own, getattr(other, item.name)[: len(own)])


PARTING = Parameters(candidate_patience=3, candidate_change_threshold=0.1, activation_function_name="tanh+gaussian")
"""Candidates that stop after 4 to 30 epochs."""


@pytest.mark.parametrize("objective", get_args(Objective))
@pytest.mark.parametrize("max_epochs", [1, 4])
def test_chunk_ends_change_no_candidate(max_epochs: int, objective: Objective) -> None:
    """However often those that go on are packed anew, each comes to the same."""
    parameters = replace(PARTING, candidate_objective=objective)
    weights = candidate_weights(1, 0, 150, 4)
    whole = trained_pool(weights, parameters)
    chunked = trained_pool(weights, parameters, max_epochs=max_epochs)
    assert_same_candidates(chunked, whole)
    np.testing.assert_array_equal(chunked.clock, whole.clock)


def test_a_group_shows_its_own_scores_alone() -> None:
    """A larger group that ran before leaves rows behind, whose later scores are no best of the epochs of the next."""
    backend = made(*noisy_points(150, n_classes=3), Plan(rows=32))
    backend.measure_residuals(candidate_weights(9, 0, 3, 4))
    best = []
    for max_epochs in (9, 1):
        weights = candidate_weights(1, 0, 40, 4)
        weights[:8] = 0  # so the best of the first group stand where the second leaves rows vacant
        state = CandidateState.start(weights, np.full(40, 4, np.int64), 3, Parameters(), 9)
        best.append(
            [
                score
                for _ in range(0, 9, max_epochs)
                for score in backend.train_candidates(state, max_epochs).best_scores
            ]
        )
    assert best[0] == best[1]


def test_company_changes_no_candidate() -> None:
    """In another order, or with others that have stopped, a candidate comes to the same."""
    weights = candidate_weights(1, 0, 150, 4)
    whole = trained_pool(weights, PARTING)
    order = np.random.default_rng(0).permutation(150)
    assert_same_candidates(trained_pool(weights, PARTING, order=order), _chosen(whole, order))
    fewer = trained_pool(weights, PARTING, skipped=slice(0, 75))
    assert_same_candidates(fewer, _chosen(whole, np.arange(75, 150)), slice(75, 150))


def _chosen(state: CandidateState, chosen: NDArray[np.int64]) -> CandidateState:
    arrays = {item.name: getattr(state, item.name) for item in fields(CandidateState)}
    own = {name: values[chosen] for name, values in arrays.items() if len(values) == len(state.weights)}
    return CandidateState(**arrays | own)


@pytest.mark.parametrize("objective", get_args(Objective))
@pytest.mark.parametrize("activation", ["tanh", MIXED])
def test_tiles_and_segments_change_roundings_alone(activation: str, objective: Objective) -> None:
    """Over many patterns sums are taken in parts, which come to the same as whole ones."""
    parameters = Parameters(activation_function_name=activation, candidate_objective=objective)
    weights = candidate_weights(1, 0, 8, 4)
    # Without more than a first step, which goes by the slopes' signs, roundings stay what they are.
    few = replace(parameters, candidate_patience=2, candidate_change_threshold=1.0)
    whole = trained_pool(weights, few, n=5000, max_epochs=3, plan=Plan(segments=1))
    cut = trained_pool(weights, few, n=5000, max_epochs=3, plan=Plan(segments=4, tile_bytes=4 * 32 * 1500))
    for name in ("scores", "best_weights", "best_covariances", "best_moments"):
        np.testing.assert_allclose(getattr(cut, name), getattr(whole, name), rtol=TOLERANCE, atol=TOLERANCE)


@pytest.mark.parametrize(("pool", "rows"), [(8, 32), (512, 512), (600, 320), (1025, 352)])
def test_groups_are_as_full_as_may_be(pool: int, rows: int) -> None:
    """A pool is shared out evenly over the fewest groups."""
    assert rows_for(pool, 512) == rows


@pytest.mark.parametrize(("n_rows", "n_columns", "segments"), [(64, 792, 32), (1024, 72, 32), (1024, 264, 1)])
def test_small_products_are_cut_into_segments(n_rows: int, n_columns: int, segments: int) -> None:
    """Large ones fill the chip without."""
    assert segments_for(n_rows, n_columns, 32) == segments


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_cached_row_is_a_fresh_forward_pass(activation: Any) -> None:
    """An installed unit's row is what it computes of the rows before, and 0 in the padding, however many there are."""
    x, y = noisy_points(100)
    backend = made(x, y, Plan())
    units = [candidate_weights(3, unit, 1, 4 + unit)[0] for unit in range(80)]
    for weights in units:
        backend.add_unit(weights, activation)
    features = backend._train.features.numpy()
    np.testing.assert_allclose(features[:4, :100], reference.standardised(x.astype(np.float64)).T, atol=1e-5)
    for row, weights in enumerate(units, 4):
        sums = weights.astype(np.float64) @ features[:row, :100]
        np.testing.assert_allclose(features[row, :100], activate(activation, sums), atol=1e-5)
    assert not features[:, 100:].any()
    assert not features[84:].any()


def test_tf32_is_turned_off() -> None:
    """Whatever else in the process allows it."""
    torch.backends.cuda.matmul.fp32_precision = "tf32"
    started(*noisy_points(20), FAST).advance(1)
    assert torch.backends.cuda.matmul.fp32_precision == "ieee"


def test_without_room_for_sums_they_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Candidates are trained over fewer patterns at once before a GPU counts as too small."""
    x, y = noisy_points(70_000)
    weights = candidate_weights(1, 0, 8, 4)
    backend = made(x, y, Plan(segments=1))
    backend.measure_residuals(np.zeros((2, 4), np.float32))
    state = CandidateState.start(weights, np.full(8, 4, np.int64), 2, FAST, 2)
    with monkeypatch.context() as patch:
        patch.setattr(torch, "zeros", limited(torch.zeros, 2 * 32 * 40_000))
        assert len(backend.train_candidates(state, 1).best_scores) == 1
    assert state.scores.all()

    backend = made(x, y, Plan(segments=1))
    backend.measure_residuals(np.zeros((2, 4), np.float32))
    with monkeypatch.context() as patch:
        patch.setattr(torch, "zeros", limited(torch.zeros, 1000))
        with pytest.raises(DeviceMemoryError, match="no room"):
            backend.train_candidates(state, 1)


def test_an_output_layer_leaves_its_room_to_the_candidates() -> None:
    """What its epochs need is not kept while a pool is trained."""
    training = started(*noisy_points(20), FAST)
    training.advance(1)
    backend = training._backend
    assert isinstance(backend, TorchBackend)
    layer = weakref.ref(backend._layer or backend)
    while training.phase == "output":
        training.advance()
    gc.collect()  # on the CPU, where nothing is captured, it holds itself by its own method
    assert layer() is None


def limited(zeros: Callable[..., torch.Tensor], most: int) -> Callable[..., torch.Tensor]:
    """As `torch.zeros` of a device that holds no array of more values."""

    def limited_zeros(*arguments: Any, **options: Any) -> torch.Tensor:
        if int(np.prod(arguments[0])) > most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return zeros(*arguments, **options)

    return limited_zeros


@pytest.mark.parametrize(
    "error",
    [
        torch.AcceleratorError("CUDA error: an illegal memory access was encountered"),
        RuntimeError("CUDA error: CUBLAS_STATUS_EXECUTION_FAILED"),
        RuntimeError("cuBLAS is not there"),
    ],
)
def test_a_lost_gpu_is_said_to_be(monkeypatch: pytest.MonkeyPatch, error: RuntimeError) -> None:
    """What torch raises of a GPU is a DeviceError, in the middle of a training too."""
    training = started(*noisy_points(20), FAST)
    training.advance(1)
    monkeypatch.setattr(torch, "stack", raising(error))
    with pytest.raises(DeviceError, match="cannot be trained on"):
        training.advance(1)


def test_a_mistake_is_no_lost_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not of a GPU stays what it is."""
    monkeypatch.setattr(torch, "stack", raising(RuntimeError("shapes differ")))
    with pytest.raises(RuntimeError, match="shapes differ"):
        started(*noisy_points(20), FAST).advance(1)


def raising(error: Exception) -> Callable[..., None]:
    """A function that raises it."""

    def raises(*_: Any, **__: Any) -> None:
        raise error

    return raises


def test_without_a_gpu_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """And why."""
    monkeypatch.setattr(torch_backend, "gpu", gpu)  # the real one
    monkeypatch.setattr(torch.cuda, "init", raising(RuntimeError("Found no NVIDIA driver on your system")))
    with pytest.raises(DeviceError, match="no GPU to train on: Found no NVIDIA driver"):
        started(*noisy_points(20), FAST)


def test_without_torch_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """And how."""
    monkeypatch.delattr(engine, "torch_backend")
    monkeypatch.delitem(sys.modules, torch_backend.__name__)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(DeviceError, match="torch cannot be imported"):
        started(*noisy_points(20), FAST)


def test_output_layers_of_two_phases_do_not_mix() -> None:
    """Each state is trained for itself, though the same back end trains both in turn."""
    x, y = noisy_points(60)
    backend = made(x, y, Plan())
    states = [OutputState.start(np.zeros((2, 4), np.float32), FAST, 20) for _ in range(3)]
    for _ in range(4):
        for state in states[:2]:
            backend.train_outputs(state, 2)
    backend.train_outputs(states[2], 8)
    assert states[0].weights.tobytes() == states[1].weights.tobytes() == states[2].weights.tobytes()
