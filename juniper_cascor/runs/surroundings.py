"""What all runs of the service share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from juniper_cascor.runs.fanout import Fanout
    from juniper_cascor.runs.recorder import Recorder
    from juniper_cascor.runs.session import Session


@dataclass(frozen=True)
class Surroundings:
    """Folders, limits, and who is told what becomes of a run."""

    snapshots: Path
    datasets: Path
    recorder: Recorder
    fanout: Fanout
    history_rows: int
    deadline_s: float
    checkpoint_s: float
    is_in_foreground: Callable[[Session], bool]
    enqueue: Callable[[Session], None]
    let_go: Callable[[Session], None]
    """The run is over: its trainer is free for the next."""
