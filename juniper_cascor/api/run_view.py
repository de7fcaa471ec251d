"""What a watcher is greeted with: where a run stands, and its newest metrics."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from juniper_cascor.runs.foreground import Foreground
from juniper_cascor.runs.history import History
from juniper_common.errors import NotFoundError
from juniper_common.wire.training import TrainingStatus


class RunView(Protocol):
    """A run as it is shown; the one in the foreground may change, or be none."""

    @property
    def run_id(self) -> str | None:
        """Which run it is now."""

    @property
    def history(self) -> History:
        """Its metrics."""

    def status(self) -> TrainingStatus:
        """Where it stands."""


RunViews = Callable[[str | None], RunView]
"""Finds the view of a run; of None, that of whichever is in the foreground. Raises NotFoundError."""


@dataclass(frozen=True)
class ForegroundView:
    """Whichever run is in the foreground."""

    foreground: Foreground

    @property
    def run_id(self) -> str | None:
        """Which run it is now."""
        return self.foreground.state.run_id

    @property
    def history(self) -> History:
        """Its metrics."""
        return self.foreground.history

    def status(self) -> TrainingStatus:
        """Where it stands."""
        return self.foreground.status()


def views_of(foreground: Foreground) -> RunViews:
    """The views of a service that has one run at a time."""
    view = ForegroundView(foreground)

    def find(run_id: str | None) -> RunView:
        if run_id not in (None, view.run_id):
            raise NotFoundError(f"no run {run_id} can be watched")
        return view

    return find
