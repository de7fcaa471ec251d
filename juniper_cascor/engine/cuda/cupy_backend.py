"""The CUDA back end: whole epochs of candidates on the chip, a block for a few of them.

Nothing comes back while a chunk of epochs runs; after it the scores do, and the rest of the state when it is asked
for. How many candidates share a block and a wave changes no bit of a result.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from juniper_cascor.engine.activations import ACTIVATIONS
from juniper_cascor.engine.backend import CandidateChunk, CandidateState, OutputChunk
from juniper_cascor.engine.cuda.device import Array, Kernel, Launch
from juniper_cascor.engine.errors import DeviceMemoryError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from juniper_cascor.engine.activations import Activation
    from juniper_cascor.engine.backend import BackendName, OutputState
    from juniper_cascor.engine.cuda.device import Device
    from juniper_cascor.engine.parameters import Task
    from juniper_cascor.engine.patterns import Patterns

log = logging.getLogger(__name__)

UNITS = (1, 4, 8)
"""How many candidates, or output units, a block may work on at once."""

_CHUNK_NS = 20e6  # of work, by an estimate
_MOST_EPOCHS = 4096  # of a chunk: their rows take memory
_LEAST_WAVE = 32  # candidates
_OUTPUT_BLOCKS = 32  # at most: they wait for one another, so all must be on the chip
OUTPUT_POOL = 1024  # as which an output layer counts in `threads_for`: its blocks are many
_SPARE_ROWS = 64
PER_CANDIDATE = tuple(
    item.name for item in fields(CandidateState) if item.name not in ("clock", "limits", "rule", "settings")
)
"""Of a state's arrays, in the order in which kernels take them."""
_READ_ONLY = ("fan_ins", "activations")
_ALWAYS = ("scores", "active")  # what comes back after each chunk


@dataclass(frozen=True, slots=True)
class Plan:
    """How candidates are laid over the chip. Of these only `threads` enters into a result's bits."""

    units: int  # candidates in a block
    threads: int  # in a block
    is_staged: bool = False  # whether the features are brought to shared memory


def threads_for(ld: int, pool: int) -> int:
    """Threads of a block, each with four patterns of a tile; measured on an H100 (docs/benchmarks/gpu.md)."""
    if ld <= 512:
        return 64 if ld <= 256 else 128
    return 512 if pool <= 256 else 256  # few blocks must fill the chip


def plan_for(n_features: int, n_outputs: int, ld: int, pool: int, n_chosen: int, device: Device) -> Plan:
    """Candidates share a block, and what it reads, where they still fill the chip; measured as `threads_for`.

    The features are brought to shared memory where that leaves room for as many blocks as there are.
    """
    threads = threads_for(ld, pool)
    per_processor = n_chosen * threads / (256 * device.n_processors)
    wanted = 8 if per_processor >= 16 else 4 if per_processor >= 4 else 1
    units = _units_with_room(
        wanted, lambda units: shared_bytes(Plan(units, threads), n_features, n_outputs, ld), n_features, device
    )
    staged = Plan(units, threads, is_staged=True)
    blocks_each = -(-n_chosen // (units * device.n_processors))
    has_room = shared_bytes(staged, n_features, n_outputs, ld) * blocks_each <= device.shared_bytes
    return staged if has_room else Plan(units, threads)


class CupyBackend:
    """Trains on a CUDA device. See `Backend` for the contract.

    Args:
        plan: How candidates are laid over the chip; by default it follows from the sizes.
        wave: So many candidates are on the device at once; by default all for whom it has room.

    Raises:
        DeviceError: as its methods do.
    """

    name: BackendName = "cupy"

    def __init__(
        self,
        patterns: Patterns,
        validation: Patterns,
        task: Task,
        device: Device,
        *,
        plan: Plan | None = None,
        wave: int | None = None,
    ) -> None:
        self._device = device
        self._plan = plan
        self._is_linear = task == "regression"
        self._train = _OnDevice(patterns, device)
        self._held_out = _OnDevice(validation, device)
        self._residuals = device.zeros(patterns.targets.shape, np.float32)
        self._sum_of_squares = 0.0
        self._state: CandidateState | None = None  # whose candidates the resident wave holds
        self._resident: _Wave | None = None
        self._wave = wave

    def add_unit(self, weights: NDArray[np.float32], activation: Activation) -> None:
        """Install a unit: compute its activations once, as a new feature."""
        self._state = self._resident = None
        own = self._device.array(weights)
        for patterns in (self._train, self._held_out):
            row = patterns.add_row()
            if patterns.n:
                install(self._device, patterns.features, patterns.n, patterns.ld, own, len(weights), activation, row)

    def train_outputs(self, state: OutputState, max_epochs: int | None) -> OutputChunk:
        """Run one chunk of an output phase."""
        device, train, held_out = self._device, self._train, self._held_out
        n_outputs, n_features = state.weights.shape
        threads = threads_for(train.ld, OUTPUT_POOL)
        # As few units as hold all outputs, or the most.
        wanted = next((units for units in UNITS if units >= n_outputs), UNITS[-1])
        units = _units_with_room(wanted, lambda units: _output_bytes(units, threads, n_features), n_features, device)
        blocks = min(-(-train.ld // (4 * threads)), _OUTPUT_BLOCKS, device.n_processors)
        epochs = self._chunk(len(state.weights) * (train.ld + held_out.ld), n_features, max_epochs, state.limits)
        rows = device.array(np.full((epochs, 4), np.nan, np.float32))
        ended = device.zeros((3,), np.int32)
        changed = {name: device.array(getattr(state, name)) for name in ("weights", "memory", "steps", "clock", "mark")}
        change, near_enough, rate, mu, ridge = state.settings
        device.launch(
            Kernel("train_outputs", units),
            Launch(blocks, threads, _output_bytes(units, threads, n_features), is_cooperative=True),
            *train.arguments,
            *held_out.arguments,
            np.int32(n_features),
            np.int32(n_outputs),
            np.int32(self._is_linear),
            *changed.values(),
            *state.limits.astype(np.int32),
            np.int32(state.rule[0]),
            change,
            near_enough,
            np.float32(rate),
            np.float32(mu),
            np.float32(ridge),
            device.zeros((blocks, 5), np.float64),
            device.zeros((blocks, n_outputs * n_features), np.float32),
            rows,
            np.int32(epochs),
            ended,
            device.zeros((1,), np.uint32),
        )
        run, has_ended, has_solved = device.host(ended).tolist()
        for name, values in changed.items():
            getattr(state, name)[...] = device.host(values)
        return OutputChunk(device.host(rows)[:run], bool(has_ended), bool(has_solved))

    def measure_residuals(self, output_weights: NDArray[np.float32]) -> None:
        """Begin a candidate phase: keep this layer's residual errors, centred over the patterns."""
        self._state = self._resident = None
        train, n_outputs = self._train, len(output_weights)
        squares = self._device.zeros((n_outputs,), np.float64)
        self._device.launch(
            Kernel("measure_residuals"),
            Launch(n_outputs, 512, 256),
            train.features,
            train.targets,
            train.importances,
            np.int32(train.ld),
            np.int32(train.n),
            np.int32(output_weights.shape[1]),
            np.int32(self._is_linear),
            self._device.array(output_weights),
            self._residuals,
            squares,
        )
        self._sum_of_squares = float(sum(self._device.host(squares).tolist()))

    def train_candidates(self, state: CandidateState, max_epochs: int | None) -> CandidateChunk:
        """Run one chunk of a candidate phase."""
        device, (pool, n_features) = self._device, state.weights.shape
        if state is not self._state:
            self._state, self._resident = state, None
        epochs = self._chunk(pool * self._train.ld, n_features, max_epochs, state.limits)
        # Those that have stopped before this chunk count with what they came to.
        best = np.full(epochs, state.scores.max(), np.float32)
        run = 0
        low = 0
        while low < pool:
            part = slice(low, min(pool, low + (self._wave or pool)))
            n_here = part.stop - low
            try:
                wave, launched = self._launch(part, state, epochs)
            except DeviceMemoryError:
                self.bring_back(state)  # what a resident wave has come to stands nowhere else
                self._resident = None
                if n_here <= _LEAST_WAVE:
                    raise
                self._wave = max(_LEAST_WAVE, n_here // 2)
                log.warning("the GPU has no room for %d candidates at once, so now for %d", n_here, self._wave)
                continue
            if launched is not None:
                scores, epochs_run = (device.largest(values) for values in launched)
                best = np.maximum(best, scores)
                run = max(run, int(epochs_run))
            if n_here == pool:
                self._resident = wave
                wave.fetch(_ALWAYS)
            else:
                wave.fetch(PER_CANDIDATE)
            del wave, launched  # so that the next one finds their room
            low = part.stop
        state.clock[0] += run
        return CandidateChunk(best[:run], not state.active.any())

    def bring_back(self, state: CandidateState) -> None:
        """Fill a state's arrays with what the device has made of them."""
        if state is self._state and self._resident is not None:
            self._resident.fetch(PER_CANDIDATE)

    def _launch(self, part: slice, state: CandidateState, epochs: int) -> tuple[_Wave, tuple[Array, Array] | None]:
        """Run epochs of those of a wave's candidates that have not stopped: their scores, and how many epochs of each.

        Where there is no room for that, none of them has run.
        """
        device, train = self._device, self._train
        wave = self._resident or _Wave(state, part, device)
        chosen = np.flatnonzero(state.active[part]).astype(np.int32)
        if not len(chosen):
            return wave, None
        n_outputs, (pool, n_features) = state.covariances.shape[1], state.weights.shape
        plan = self._plan or plan_for(n_features, n_outputs, train.ld, pool, len(chosen), device)
        change, rate, mu = state.settings
        scores = device.zeros((len(chosen), epochs), np.float32)
        run = device.zeros((len(chosen),), np.int32)
        optimizer, objective = state.rule
        device.launch(
            Kernel("train_candidates", plan.units, plan.is_staged),
            Launch(-(-len(chosen) // plan.units), plan.threads, shared_bytes(plan, n_features, n_outputs, train.ld)),
            train.features,
            np.int32(n_features),
            self._residuals,
            np.int32(n_outputs),
            np.int32(train.ld),
            np.int32(train.n),
            np.float64(self._sum_of_squares),
            device.array(chosen),
            np.int32(len(chosen)),
            *(wave.arrays[name] for name in PER_CANDIDATE),
            np.int32(state.clock[0]),
            *state.limits.astype(np.int32),
            np.int32(optimizer),
            np.int32(objective),
            change,
            np.float32(rate),
            np.float32(mu),
            np.int32(epochs),
            scores,
            run,
        )
        return wave, (scores, run)

    def _chunk(self, n_values: int, n_features: int, max_epochs: int | None, limits: NDArray[np.int64]) -> int:
        """Epochs of the next chunk."""
        epochs = epochs_of_chunk(3e3 + n_values * (20 + 4 * n_features) / 1e4, limits)
        return epochs if max_epochs is None else min(epochs, max_epochs)


class _Wave:
    """A part of a pool's state on the device."""

    def __init__(self, state: CandidateState, part: slice, device: Device) -> None:
        self.part = part
        self._state = state
        self._device = device
        self.arrays: dict[str, Array] = {name: device.array(getattr(state, name)[part]) for name in PER_CANDIDATE}

    def fetch(self, names: Sequence[str]) -> None:
        """Bring arrays back into the state."""
        for name in names:
            if name not in _READ_ONLY:
                getattr(self._state, name)[self.part] = self._device.host(self.arrays[name])


class _OnDevice:
    """Patterns on the device, where features are added as units are installed."""

    def __init__(self, patterns: Patterns, device: Device) -> None:
        self.n, self.ld = patterns.n, patterns.targets.shape[1]
        self.n_features = patterns.n_features
        self._device = device
        own = device.array(patterns.own_features)
        self.features = device.extended(own, patterns.n_features + _SPARE_ROWS)
        self.targets = device.array(patterns.targets)
        self.labels = device.array(patterns.labels)
        self.importances = device.array(patterns.importances)

    @property
    def arguments(self) -> tuple[Any, ...]:
        """As train_outputs takes them."""
        return (
            self.features,
            self.targets,
            self.labels,
            self.importances,
            np.int32(self.ld),
            np.int32(self.n),
        )

    def add_row(self) -> Array:
        """The row of a new feature, which is to be filled: [ld]."""
        if self.n_features == len(self.features):
            room = self.n_features + max(_SPARE_ROWS, self.n_features // 2)
            self.features = self._device.extended(self.features, room)
        self.n_features += 1
        return self.features[self.n_features - 1]


def install(
    device: Device,
    features: Array,
    n: int,
    ld: int,
    weights: Array,
    n_features: int,
    activation: Activation,
    row: Array,
) -> None:
    """Fill a row with a unit's activations on n patterns, 0 beyond them."""
    device.launch(
        Kernel("install"),
        Launch(-(-ld // 128), 128),
        features,
        np.int32(n_features),
        np.int32(ld),
        np.int32(n),
        weights,
        np.int32(ACTIVATIONS.index(activation)),
        row,
    )


def shared_bytes(plan: Plan, n_features: int, n_outputs: int, ld: int) -> int:
    """Of a block of train_candidates, as it lays them out."""
    rows, output_rows = -(-n_features // 4) * 4, -(-n_outputs // 4) * 4
    floats = 2 * plan.units * (4 * plan.threads + rows + output_rows)
    staged = (n_features + n_outputs) * ld if plan.is_staged else 0
    return 256 + 4 * floats + (16 + 48) * plan.units + 4 * staged


def _output_bytes(units: int, threads: int, n_features: int) -> int:
    """Shared memory of a block of train_outputs, as it lays it out."""
    return 256 + 4 * units * (4 * threads + n_features)


def _units_with_room(wanted: int, bytes_of: Callable[[int], int], n_features: int, device: Device) -> int:
    """Units of a block: as many as are wanted, or as many as find room in its shared memory."""
    for units in reversed(UNITS):
        if units <= wanted and bytes_of(units) <= device.shared_bytes:
            return units
    raise DeviceMemoryError(f"{n_features} features are more than a block of this GPU can hold")


def epochs_of_chunk(epoch_ns: float, limits: NDArray[np.int64]) -> int:
    """Most epochs of a chunk: a function of sizes, never of a clock, and no result depends on it."""
    return min(max(1, int(_CHUNK_NS / epoch_ns)), int(limits[0]), _MOST_EPOCHS)
