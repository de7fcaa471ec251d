"""Which back end trains: a table of sizes, never a timing, so that the same run is trained by the same one anywhere."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from juniper_cascor.engine.backend import BACKENDS
from juniper_cascor.engine.errors import DeviceError, ParameterError

if TYPE_CHECKING:
    from juniper_cascor.engine.backend import Backend, BackendName
    from juniper_cascor.engine.parameters import Parameters
    from juniper_cascor.engine.training_data import TrainingData

_EXPECTED_UNITS = 16  # what a network is taken to grow to, where it may


def chosen(n_patterns: int, n_inputs: int, pool: int, max_hidden_units: int) -> BackendName:
    """The back end for these sizes; the limits are where one was measured to overtake the other on two cores."""
    n_features = 1 + n_inputs + min(max_hidden_units, _EXPECTED_UNITS)
    values = n_patterns * n_features
    # Products share what they read of the features among the candidates: it matters where no cache holds them.
    if (pool >= 64 and values >= 500_000) or (pool >= 8 and values >= 4_000_000):
        return "numba-batched"
    return "numba-parallel" if pool > 1 and pool * values >= 500_000 else "numba-serial"


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
    if name == "cupy":
        from juniper_cascor.engine.cuda import cupy_backend, device, host_facts

        try:
            cuda = device.CudaDevice()
        except DeviceError as error:
            raise host_facts.explained(name, error) from error
        return cupy_backend.CupyBackend(data.patterns, data.validation, data.task, cuda)
    n_threads = threads or len(os.sched_getaffinity(0))
    # numba only now: a process that never trains never loads it.
    if name == "numba-batched":
        from juniper_cascor.engine.batched_backend import BatchedBackend

        return BatchedBackend(data.patterns, data.validation, data.task, threads=n_threads)
    from juniper_cascor.engine.numba_backend import NumbaBackend

    serial = name == "numba-serial"
    return NumbaBackend(data.patterns, data.validation, data.task, name=name, threads=1 if serial else n_threads)
