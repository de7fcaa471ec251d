"""Who is measured: the CUDA back ends, and beside them the CPU's on two cores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal, ParamSpec, TypeAlias, TypeVar, get_args

from benchmarks.engine.work import Work
from juniper_cascor.engine import backends
from juniper_cascor.engine.backend import GPU_BACKENDS
from juniper_cascor.engine.training_data import TrainingData

if TYPE_CHECKING:
    from juniper_cascor.engine.backend import Backend, BackendName, GpuBackendName
    from juniper_cascor.engine.parameters import Parameters

Side: TypeAlias = Literal["CPU", "cupy", "torch"]
Asked = ParamSpec("Asked")
Value = TypeVar("Value")

SIDES: tuple[Side, ...] = get_args(Side)
GPU_SIDES: tuple[Side, ...] = ("cupy", "torch")
CPU_THREADS = 2


def backend_of(side: Side, n_patterns: int, n_inputs: int, pool: int, max_hidden_units: int = 0) -> BackendName:
    """What trains on a side: on the CPU that follows from the sizes."""
    if side != "CPU":
        return side
    return backends.on_cpu(n_patterns, n_inputs, pool, max_hidden_units)


def chosen_by_auto(work: Work, sides: Sequence[Side]) -> BackendName:
    """What trains where there are these sides and no back end is asked for, no hidden unit being to come."""
    usable: frozenset[GpuBackendName] = frozenset(name for name in GPU_BACKENDS if name in sides)
    return backends.chosen(work.n_patterns, work.n_inputs, work.pool, 0, lambda: usable)


def side_of(backend: str) -> Side:
    """On which side a back end is."""
    return "cupy" if backend == "cupy" else "torch" if backend == "torch" else "CPU"


def made(side: Side, work: Work, data: TrainingData, parameters: Parameters) -> Backend:
    """The back end of a side for a work.

    Raises:
        DeviceError: there is no GPU, or no library for it.
    """
    return backends.make(backend_of(side, work.n_patterns, work.n_inputs, work.pool), data, parameters, CPU_THREADS)


def missing(side: Side) -> str:
    """Why nothing can be trained on a side, or nothing."""
    work = Work(4, 1, 1, n_epochs=1)
    parameters = work.parameters()
    data = TrainingData(*work.arrays(), None, None, parameters, None)
    return attempt(made, side, work, data, parameters)[1]


def attempt(measure: Callable[Asked, Value], *args: Asked.args, **kwargs: Asked.kwargs) -> tuple[Value | None, str]:
    """What a measurement finds, or None and why it found nothing."""
    try:
        return measure(*args, **kwargs), ""
    except Exception as error:  # noqa: BLE001 - whatever ends one measurement, the others are to go on
        return None, " ".join(f"{type(error).__name__}: {error}".split())[:300]
