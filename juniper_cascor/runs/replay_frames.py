"""What a replay shows: the growth of a run at each of its snapshots, and what is told between two of them."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import BaseModel

from juniper_cascor.engine.network import Network
from juniper_cascor.recently_used import RecentlyUsed
from juniper_cascor.runs import snapshot_catalogue
from juniper_cascor.runs.history import Rows, metrics_message, rows_of
from juniper_cascor.runs.views import topology
from juniper_cascor.snapshots import Card
from juniper_common.errors import ConflictError, NotFoundError
from juniper_common.wire.training import CascadeAdd

FRAMES_KEPT = 8

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Frame:
    """A run as it stood at one of its snapshots."""

    snapshot_id: str
    card: Card
    network: Network
    rows: Rows  # its metrics from the beginning on

    @property
    def epoch(self) -> int:
        """Epochs trained so far."""
        return self.card.epoch


class Frames:
    """The snapshots of a run in the order of its growth, read as they are asked for; the last few are kept.

    Args:
        folder: where the runs' folders of snapshots stand.
        snapshot_ids: those of the run, in order.
    """

    def __init__(self, folder: Path, snapshot_ids: Sequence[str]) -> None:
        self._folder = folder
        self._ids = list(snapshot_ids)
        self._kept = RecentlyUsed[Frame](FRAMES_KEPT)

    def at(self, position: int) -> Frame | None:
        """The frame, or None where the snapshot does not read well: that is logged."""
        snapshot_id = self._ids[position]
        try:
            return self._kept.get(snapshot_id, lambda: self._read(snapshot_id))
        except (ConflictError, NotFoundError) as error:
            log.warning("passed over in the replay: %s", error.message)
            return None

    def drop(self, position: int) -> None:
        """Forget that there is such a position; those after it move up."""
        del self._ids[position]

    def _read(self, snapshot_id: str) -> Frame:
        snapshot = snapshot_catalogue.opened(self._folder, snapshot_id)
        return Frame(snapshot_id, snapshot.card, snapshot.network, rows_of(snapshot.metrics))


def told(before: Frame | None, after: Frame, shown_at: float) -> list[tuple[str, BaseModel]]:
    """The messages, by their kinds, that lead a watcher from one frame to another: those of a training.

    Back, or from nowhere, they tell everything from the beginning. The newest metric row has the time when it is shown
    (`shown_at`, Unix seconds), not when it was trained: watchers take older rows for a message that comes late.
    """
    is_onward = before is not None and before.epoch <= after.epoch
    since, n_units = (before.epoch, before.network.n_hidden_units) if before is not None and is_onward else (-1, 0)
    messages: list[tuple[str, BaseModel]] = []
    rows = after.rows[after.rows["epoch"] > since]
    if len(rows):
        messages.append(("metrics", metrics_message(rows).model_copy(update={"timestamp": shown_at})))
    messages += [("cascade_add", unit) for unit in _installed(n_units, after)]
    return [*messages, ("topology", topology(after.network))]


def _installed(n_units: int, after: Frame) -> Iterator[CascadeAdd]:
    """The units after the first so many: with the pool's best score, the unit's own but where a sibling won."""
    scored = after.rows[(after.rows["phase"] == 1) & np.isfinite(after.rows["score"])]
    for index in range(n_units, after.network.n_hidden_units):
        # Without a row of its candidate phase nothing is known of it but what the topology says.
        for row in scored[scored["hidden_units"] == index][-1:]:
            yield CascadeAdd(
                hidden_unit_index=index,
                correlation=float(row["score"]),
                total_hidden_units=index + 1,
                epoch=int(row["epoch"]),
            )
