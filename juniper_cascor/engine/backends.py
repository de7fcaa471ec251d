"""Which back end trains: a table of sizes, never a timing, so that the same run is trained by the same one anywhere."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from juniper_cascor.engine.backend import BACKENDS
from juniper_cascor.engine.errors import DeviceError, ParameterError

if TYPE_CHECKING:
    from collections.abc import Callable

    from juniper_cascor.engine.backend import Backend, BackendName, CpuBackendName, GpuBackendName
    from juniper_cascor.engine.parameters import Parameters
    from juniper_cascor.engine.training_data import TrainingData

_EXPECTED_UNITS = 16  # what a network is taken to grow to, where it may
_LEAST_WORK = 200_000  # candidates × patterns × features of an epoch that a GPU is worth its latency for
_LEAST_POOL = 4  # fewer candidates leave most of a GPU idle
_PRODUCT_VALUES = 400_000  # patterns × features from which on products may be faster than the kernel
_MANY_FEATURES = 100  # with so many they are, whatever the pool
_PRODUCT_POOLS = range(32, 513)  # of these they are, whatever the features: more fill the chip with blocks


def chosen(
    n_patterns: int,
    n_inputs: int,
    pool: int,
    max_hidden_units: int,
    usable: Callable[[], frozenset[GpuBackendName]] | None = None,
) -> BackendName:
    """The back end for these sizes.

    Args:
        n_patterns: To train on.
        n_inputs: Of the network.
        pool: Candidates.
        max_hidden_units: As far as it may grow.
        usable: Which back ends of a GPU there are; by default what this host has. It is asked only where one of them
            would be chosen.
    """
    wanted = _on_gpu(n_patterns, _expected_features(n_inputs, max_hidden_units), pool)
    if wanted:
        there = usable_on_gpu() if usable is None else usable()
        for name in wanted:
            if name in there:
                return name
    return on_cpu(n_patterns, n_inputs, pool, max_hidden_units)


def on_cpu(n_patterns: int, n_inputs: int, pool: int, max_hidden_units: int) -> CpuBackendName:
    """The CPU's back end for these sizes; the limits are where one was measured to overtake the other on two cores."""
    values = n_patterns * _expected_features(n_inputs, max_hidden_units)
    # Products share what they read of the features among the candidates: it matters where no cache holds them.
    if (pool >= 64 and values >= 500_000) or (pool >= 8 and values >= 4_000_000):
        return "numba-batched"
    return "numba-parallel" if pool > 1 and pool * values >= 500_000 else "numba-serial"


def usable_on_gpu() -> frozenset[GpuBackendName]:
    """The back ends of a GPU that this host had when this was first asked, which may take a second."""
    from juniper_cascor.engine.cuda import host_facts

    verdicts = host_facts.known().backends
    return frozenset(name for name, verdict in verdicts.items() if verdict.is_usable)


def _on_gpu(n_patterns: int, n_features: int, pool: int) -> tuple[GpuBackendName, ...]:
    """Those that are quicker than the CPU at these sizes, the quickest first: measured, docs/benchmarks/gpu.md."""
    values = n_patterns * n_features
    if pool * values < _LEAST_WORK or pool < _LEAST_POOL:
        return ()
    is_for_products = values >= _PRODUCT_VALUES and (n_features >= _MANY_FEATURES or pool in _PRODUCT_POOLS)
    return ("torch", "cupy") if is_for_products else ("cupy", "torch")


def _expected_features(n_inputs: int, max_hidden_units: int) -> int:
    return 1 + n_inputs + min(max_hidden_units, _EXPECTED_UNITS)


def make(name: BackendName | None, data: TrainingData, parameters: Parameters, threads: int | None) -> Backend:
    """The back end of a name, or the one for the sizes of data and parameters.

    Raises:
        ParameterError: there is no such back end, or fewer than one thread.
        DeviceError: its GPU cannot be trained on; it says why, and what to do.
    """
    if threads is not None and threads < 1:
        raise ParameterError("threads", f"must be 1 or more, not {threads}")
    if name is None:
        name = chosen(
            data.patterns.n,
            data.n_inputs,
            parameters.candidate_pool_size,
            parameters.max_hidden_units,
        )
    if name not in BACKENDS:
        raise ParameterError("backend", f"must be one of {', '.join(BACKENDS)}, not {name!r}")
    if name == "cupy" or name == "torch":
        try:
            return _of_gpu(name, data)
        except DeviceError as error:
            from juniper_cascor.engine.cuda import host_facts

            raise host_facts.explained(name, error) from error
    n_threads = threads or len(os.sched_getaffinity(0))
    # numba only now: a process that never trains never loads it.
    if name == "numba-batched":
        from juniper_cascor.engine.batched_backend import BatchedBackend

        return BatchedBackend(data.patterns, data.validation, data.task, threads=n_threads)
    from juniper_cascor.engine.numba_backend import NumbaBackend

    serial = name == "numba-serial"
    return NumbaBackend(data.patterns, data.validation, data.task, name=name, threads=1 if serial else n_threads)


def _of_gpu(name: GpuBackendName, data: TrainingData) -> Backend:
    if name == "cupy":
        from juniper_cascor.engine.cuda import cupy_backend, device

        return cupy_backend.CupyBackend(data.patterns, data.validation, data.task, device.CudaDevice())
    try:
        from juniper_cascor.engine import torch_backend
    except ImportError as error:
        raise DeviceError(f"torch cannot be imported: {error}") from error
    return torch_backend.TorchBackend(data.patterns, data.validation, data.task, torch_backend.gpu())
