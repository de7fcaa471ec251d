"""The CUDA back end for large sets and pools: products of matrices by cuBLAS, an epoch as a CUDA graph.

Nothing comes back while a chunk of epochs runs. Where chunks end, and which candidates are multiplied together,
changes no bit of a result: see torch_candidates. What is no product is left to the kernels beside CuPy's, so both
libraries are needed. Importing this module loads torch.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from juniper_cascor.engine.backend import CandidateChunk, OutputChunk
from juniper_cascor.engine.cuda import device as cuda
from juniper_cascor.engine.cuda.cupy_backend import epochs_of_chunk
from juniper_cascor.engine.errors import DeviceError, DeviceMemoryError
from juniper_cascor.engine.torch_candidates import Objective, Pool, rows_for
from juniper_cascor.engine.torch_math import OnDevice, Plan, padded_weights
from juniper_cascor.engine.torch_outputs import OutputLayer, Response

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from juniper_cascor.engine.activations import Activation
    from juniper_cascor.engine.backend import BackendName, CandidateState, OutputState
    from juniper_cascor.engine.parameters import Task
    from juniper_cascor.engine.patterns import Patterns

_LEAST_TILE_BYTES = 2**22
_SMALL = 1e7  # patterns × features
_FLOPS_PER_NS = 35e3  # of a product of float32 matrices on an H100
_BYTES_PER_NS = 2e3


class TorchBackend:
    """Trains on a device of torch. See `Backend` for the contract.

    Products are computed in float32 itself: TF32, which keeps ten bits of each factor, is turned off in the process.

    Args:
        device: A GPU; the CPU, on which nothing is captured, serves tests.
        plan: How a pool is cut up.

    Raises:
        DeviceError: as its methods do.
    """

    name: BackendName = "torch"

    def __init__(
        self, patterns: Patterns, validation: Patterns, task: Task, device: torch.device, *, plan: Plan | None = None
    ) -> None:
        # Many small epochs make a chunk, so that candidates which stop are seldom taken out of the products.
        is_small = patterns.n * patterns.n_features < _SMALL
        self._plan = plan or Plan(rows=1024 if is_small else 512)
        self._is_linear = task == "regression"
        self._device = device
        self._stream = torch.cuda.Stream(device) if device.type == "cuda" else None  # type: ignore[no-untyped-call]
        # Kernels are launched where torch's are, so that they are captured with these.
        self._kernels = cuda.CudaDevice(None if self._stream is None else cuda.Stream(self._stream.cuda_stream))
        self._layer: OutputLayer | None = None
        self._pool: Pool | None = None
        with self._working():
            self._train = OnDevice(patterns, self._plan, device)
            self._held_out = OnDevice(validation, self._plan, device)
            self._residuals = torch.zeros_like(self._train.targets)
        self._sum_of_squares = 0.0

    def add_unit(self, weights: NDArray[np.float32], activation: Activation) -> None:
        """Install a unit: compute its activations once, as a new feature."""
        self._pool = self._layer = None
        with self._working():
            for patterns in (self._train, self._held_out):
                patterns.add_unit(weights, activation, self._kernels)

    def train_outputs(self, state: OutputState, max_epochs: int | None) -> OutputChunk:
        """Run one chunk of an output phase."""
        n_outputs, n_features = state.weights.shape
        ld = self._train.ld + self._held_out.ld
        epoch_ns = 1e5 + ld * n_features * (8 / _BYTES_PER_NS + 4 * n_outputs / _FLOPS_PER_NS)
        most = epochs_of_chunk(epoch_ns, state.limits)
        with self._working():
            if self._layer is None or self._layer.state is not state:
                self._layer = None
                self._layer = OutputLayer(
                    state, self._train, self._held_out, is_linear=self._is_linear, most_epochs=most
                )
            return self._layer.train(most if max_epochs is None else min(most, max_epochs))

    def measure_residuals(self, output_weights: NDArray[np.float32]) -> None:
        """Begin a candidate phase: keep this layer's residual errors, centred over the patterns."""
        self._pool = self._layer = None  # the layer's phase is over: its room is the pool's
        train = self._train
        with self._working():
            weights = padded_weights(output_weights, self._device)
            deltas = Response.of(weights, train, is_linear=self._is_linear).deltas[:, : train.n]
            residuals = self._residuals[:, : train.n]
            torch.sub(deltas, deltas.mean(dim=1, dtype=torch.float64, keepdim=True), out=residuals)
            self._sum_of_squares = float(residuals.double().square().sum())

    def train_candidates(self, state: CandidateState, max_epochs: int | None) -> CandidateChunk:
        """Run one chunk of a candidate phase."""
        pool, n_features = state.weights.shape
        n_rows = rows_for(pool, self._plan.rows)
        value_ns = 4 * n_features / _FLOPS_PER_NS + 16 / _BYTES_PER_NS
        most = epochs_of_chunk(2e4 * -(-pool // n_rows) + pool * self._train.ld * value_ns, state.limits)
        if self._pool is None or self._pool.state is not state:
            self._pool = None  # first, so that there is room
            self._pool = self._placed(state, most)
        with self._working():
            scores = self._pool.train(most if max_epochs is None else min(most, max_epochs))
        return CandidateChunk(scores, not state.active.any())

    def bring_back(self, state: CandidateState) -> None:
        """Fill a state's arrays with what the device has made of them."""
        if self._pool is not None and self._pool.state is state:
            with self._working():
                self._pool.fetch()

    def _placed(self, state: CandidateState, most_epochs: int) -> Pool:
        """A pool on the device; where there is no room for its sums over all patterns, over fewer at once."""
        while True:
            try:
                with self._working():
                    objective = Objective(self._residuals, self._sum_of_squares, state.is_normalised)
                    return Pool(state, self._train, objective, self._plan, most_epochs, self._kernels)
            except DeviceMemoryError:
                if self._plan.tile_bytes <= _LEAST_TILE_BYTES:
                    raise
                self._plan = replace(self._plan, tile_bytes=self._plan.tile_bytes // 2)

    @contextlib.contextmanager
    def _working(self) -> Iterator[None]:
        """Work on this back end's own stream, in float32; raise what torch raises of a GPU as the engine's errors."""
        torch.backends.cuda.matmul.fp32_precision = "ieee"
        try:
            with torch.cuda.stream(self._stream):
                yield
        except torch.OutOfMemoryError as error:
            raise DeviceMemoryError(f"the GPU has no room: {error}") from error
        except torch.AcceleratorError as error:
            raise DeviceError(f"the GPU cannot be trained on: {error}") from error
        except RuntimeError as error:
            if "CUDA" not in (message := str(error).upper()) and "CUBLAS" not in message:
                raise
            raise DeviceError(f"the GPU cannot be trained on: {error}") from error


def gpu() -> torch.device:
    """The first GPU that this process sees.

    Raises:
        DeviceError: torch knows none.
    """
    # A workspace of its own for each stream, of a fixed size: without, cuBLAS promises the same bits for one stream
    # alone (its documentation, "Results reproducibility").
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    try:
        torch.cuda.init()  # type: ignore[no-untyped-call]
    except (AssertionError, RuntimeError) as error:
        raise DeviceError(f"torch has no GPU to train on: {error}") from error
    return torch.device("cuda", torch.cuda.current_device())
