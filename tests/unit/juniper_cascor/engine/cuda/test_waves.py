"""How candidates are laid over the chip changes no bit, and a device that is too small takes them in parts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import DTypeLike, NDArray

from juniper_cascor.engine.candidate_pool import new_pool
from juniper_cascor.engine.cuda import device
from juniper_cascor.engine.cuda.cupy_backend import UNITS, CupyBackend, Plan, plan_for
from juniper_cascor.engine.cuda.device import Kernel, Launch
from juniper_cascor.engine.errors import DeviceMemoryError
from juniper_cascor.engine.parameters import Parameters
from juniper_cascor.engine.training import Training
from juniper_cascor.engine.training_data import TrainingData
from tests.unit.juniper_cascor.engine.data import noisy_points

from .shim_device import ShimDevice

PARAMETERS = Parameters(
    candidate_pool_size=70,
    candidate_epochs=6,
    candidate_patience=3,
    activation_function_name="tanh+gaussian",
    candidate_objective="normalised",
)


def results(
    on: device.Device,
    *,
    plan: Plan | None = None,
    wave: int | None = None,
    between: Callable[[], None] = lambda: None,
) -> list[NDArray[np.generic]]:
    """All that a pool comes to, laid over a device so, in two chunks."""
    x, y = noisy_points(150, n_classes=3)
    data = TrainingData(x, y, None, None, PARAMETERS, None)
    backend = CupyBackend(data.patterns, data.validation, data.task, on, plan=plan, wave=wave)
    backend.measure_residuals(np.zeros((3, 4), np.float32))
    state = new_pool(PARAMETERS, 1, fan_ins=[], n_features=4, n_outputs=3, max_epochs=6)
    best = [backend.train_candidates(state, 4).best_scores]
    between()
    best.append(backend.train_candidates(state, None).best_scores)
    backend.bring_back(state)
    return [np.concatenate(best), *state.arrays("").values()]


@pytest.fixture
def whole() -> list[NDArray[np.generic]]:
    """All candidates in one wave, one in a block."""
    return results(device.CudaDevice(), plan=Plan(1, 64))


@pytest.mark.parametrize("is_staged", [False, True])
@pytest.mark.parametrize("units", UNITS)
def test_blocks_change_no_bit(whole: list[NDArray[np.generic]], units: int, is_staged: bool) -> None:
    """Nor does where the features are read from."""
    for ours, theirs in zip(results(device.CudaDevice(), plan=Plan(units, 64, is_staged)), whole, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("wave", [1, 33, 69])
def test_waves_change_no_bit(whole: list[NDArray[np.generic]], wave: int) -> None:
    """Of any size."""
    for ours, theirs in zip(results(device.CudaDevice(), plan=Plan(1, 64), wave=wave), whole, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_what_has_no_room_is_trained_in_parts(
    whole: list[NDArray[np.generic]], caplog: pytest.LogCaptureFixture
) -> None:
    """The log says in which; the device holds one part at a time."""
    for ours, theirs in zip(results(ShimDevice(pool_room=40), plan=Plan(1, 64)), whole, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert caplog.messages == ["the GPU has no room for 70 candidates at once, so now for 35"]


class ShrinkingDevice(ShimDevice):
    """Another process takes of its memory, so that soon it has room for less."""

    most_rows = 1_000_000

    def shrink(self) -> None:
        """From now on it holds no new array of the scores of more than 40 candidates."""
        self.most_rows = 40

    def zeros(self, shape: Sequence[int], dtype: DTypeLike) -> NDArray[np.generic]:
        """Zeros, where there is room."""
        if shape[0] > self.most_rows:
            raise DeviceMemoryError("the GPU has no room")
        return super().zeros(shape, dtype)


def test_what_has_no_room_any_more_goes_on_in_parts(whole: list[NDArray[np.generic]]) -> None:
    """From where it stood on the device, which nobody had brought back."""
    on = ShrinkingDevice()
    for ours, theirs in zip(results(on, plan=Plan(1, 64), between=on.shrink), whole, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_where_not_even_a_few_find_room_it_is_told() -> None:
    """By an error which the trainer falls back on."""
    with pytest.raises(DeviceMemoryError, match="no room"):
        results(ShimDevice(pool_room=10))


class StingyDevice(ShimDevice):
    """Gives blocks a little less shared memory than a launch asks for."""

    def launch(self, kernel: Kernel, launch: Launch, *arguments: Any) -> None:
        """Run a kernel to its end."""
        super().launch(kernel, replace(launch, shared_bytes=max(0, launch.shared_bytes - 512)), *arguments)


@pytest.mark.parametrize("is_staged", [False, True])
def test_shared_memory_that_was_not_asked_for_is_noticed(is_staged: bool) -> None:
    """A kernel that takes more than its launch asks for fails every test that runs it here."""
    with pytest.raises(AssertionError, match="shared memory"):
        results(StingyDevice(), plan=Plan(1, 64, is_staged))


@pytest.mark.parametrize(
    ("ld", "pool", "plan"),
    [
        (208, 8, Plan(1, 64, is_staged=True)),
        (208, 1024, Plan(1, 64, is_staged=True)),
        (208, 4096, Plan(4, 64, is_staged=True)),
        (208, 16_384, Plan(8, 64)),
        (10_000, 256, Plan(1, 512)),
        (10_000, 1024, Plan(4, 256)),
        (10_000, 4096, Plan(8, 256)),
    ],
)
def test_the_table_of_plans(ld: int, pool: int, plan: Plan) -> None:
    """For a chip of 132 processors; the figures behind it are in docs/benchmarks/gpu.md."""
    on = ShimDevice()
    on.n_processors = 132
    assert plan_for(16, 1, ld, pool, pool, on) == plan


def test_many_features_leave_room_for_fewer_candidates() -> None:
    """In a block; and for none where they are too many."""
    on = ShimDevice()
    plans = [plan_for(n_features, 1, 10_000, 4096, 4096, on) for n_features in (2_000, 3_000, 20_000)]
    assert [plan.units for plan in plans] == [8, 4, 1]
    with pytest.raises(DeviceMemoryError, match="more than a block"):
        plan_for(40_000, 1, 10_000, 4096, 4096, on)


def test_an_output_layer_of_many_features() -> None:
    """Works on fewer of its units at once, and comes to the CPU's losses."""
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(40, 7_000)), np.eye(9)[np.arange(40) % 9]
    parameters = Parameters(output_epochs=2)
    rows = [
        Training.start(x, y, parameters, seed=1, backend=name).advance().rows.train_loss
        for name in ("numba-serial", "cupy")
    ]
    np.testing.assert_allclose(rows[1], rows[0], rtol=1e-4)
