"""Grows a network to its end in this process, keeps what it measured, and stops between two chunks at Ctrl-C."""

from __future__ import annotations

import contextlib
import signal
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from juniper_cascor.curves import Metrics
from juniper_cascor.engine.events import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from juniper_cascor.engine.events import Progress
    from juniper_cascor.engine.network import Network
    from juniper_cascor.engine.training import Training
    from juniper_cascor.plain_hdf5 import Arrays

Ending: TypeAlias = Outcome | Literal["interrupted"]


@dataclass(frozen=True)
class Growth:
    """What came of a training."""

    network: Network
    ending: Ending | None  # None where a file does not say
    epochs: int  # of both phases
    backend: str
    metrics: Arrays  # columns of `snapshots.METRICS`, a row for each epoch


def grow(training: Training, watch: Callable[[Progress], None] | None = None) -> Growth:
    """Train to the end, or until SIGINT, and keep what was grown either way.

    Args:
        training: one that has not finished.
        watch: called after each chunk.
    """
    metrics = Metrics()
    with _interrupt_noted() as is_interrupted:
        while training.finished is None:
            progress = training.advance()
            metrics.add(progress)
            if watch is not None:
                watch(progress)
            if is_interrupted():
                break
    return Growth(
        training.best_network, training.finished or "interrupted", training.epoch, training.backend, metrics.columns()
    )


@contextlib.contextmanager
def _interrupt_noted() -> Iterator[Callable[[], bool]]:
    """Make the first SIGINT a note instead of an exception, which could strike while a unit is half installed.

    The second one is an exception again: it ends a compilation that takes too long. A handler that somebody else has
    set stays, and so does Python's in a thread that gets no signals.
    """
    noted = threading.Event()

    def note(_number: int, _frame: FrameType | None) -> None:
        noted.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    is_ours = (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    )
    if is_ours:
        signal.signal(signal.SIGINT, note)
    try:
        yield noted.is_set
    finally:
        if is_ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)
