"""The snapshots of the fake service, in memory: those that the recorded runs took, and those that somebody takes."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from juniper_cascor import snapshots
from juniper_cascor.engine.network import Network
from juniper_cascor.plain_hdf5 import Arrays
from juniper_cascor.runs import network_spec, snapshot_folder
from juniper_cascor.runs.history import metric_row, rows_of
from juniper_cascor.runs.replay_frames import Frame
from juniper_cascor.runs.snapshot_catalogue import can_resume
from juniper_cascor.runs.snapshot_files import id_of
from juniper_cascor.snapshots import Card, Snapshot
from juniper_cascor.testing.fake_run import FakeRun
from juniper_cascor.testing.recording import Step
from juniper_common.errors import NotFoundError
from juniper_common.wire.errors import FieldProblem
from juniper_common.wire.snapshots import (
    NetworkSize,
    SnapshotCard,
    SnapshotDetail,
    SnapshotInfo,
    SnapshotList,
    SnapshotState,
)

STATE: Arrays = {"not_recorded": np.zeros(0)}
"""In place of the state of a training, which no recording has: it says that there is one."""


@dataclass(frozen=True, eq=False)
class KeptSnapshot:
    """One snapshot, as whole as a file of the real service."""

    content: Snapshot
    created_at: float
    size_bytes: int

    @property
    def id(self) -> str:
        """As the service names its files."""
        return id_of(str(snapshot_folder.path_of(Path(), self.content.card)))

    @property
    def info(self) -> SnapshotInfo:
        """As a list has it."""
        card = self.content.card
        return SnapshotInfo(
            id=self.id,
            run_id=card.run_id,
            epoch=card.epoch,
            hidden_units=card.hidden_units,
            created_at=self.created_at,
            size_bytes=self.size_bytes,
            can_resume=can_resume(self.content),
        )

    @property
    def detail(self) -> SnapshotDetail:
        """What it says of itself."""
        rows = rows_of(self.content.metrics)
        return SnapshotDetail(
            **self.info.model_dump(),
            card=SnapshotCard.model_validate(self.content.card.model_dump()),
            network=_size(self.content.network),
            metrics=metric_row(rows[-1]) if len(rows) else None,
        )

    @property
    def frame(self) -> Frame:
        """As a replay shows it."""
        content = self.content
        return Frame(self.id, content.card, content.network, rows_of(content.metrics))

    @property
    def file(self) -> bytes:
        """What its file holds, but for the state of the training."""
        return bytes(snapshots.content_of(replace(self.content, state={})))


class FakeSnapshots:
    """What lies in the snapshot folder.

    Args:
        runs: every run there is, now.
    """

    def __init__(self, runs: Iterable[FakeRun]) -> None:
        self._runs = runs
        self._taken: dict[str, KeptSnapshot] = {}
        self._deleted: set[str] = set()

    def listed(
        self, limit: int = 100, offset: int = 0, run_id: str | None = None, state: SnapshotState | None = None
    ) -> SnapshotList:
        """Those that match, newest first."""
        found = [kept.info for kept in self._of(self._runs) if run_id in (None, kept.content.card.run_id)]
        found = [info for info in found if state in (None, info.state)]
        found.sort(key=lambda info: (info.created_at, info.epoch or 0), reverse=True)
        return SnapshotList(snapshots=found[offset : offset + limit], total=len(found))

    def find(self, snapshot_id: str) -> KeptSnapshot:
        """One of them. Raises NotFoundError."""
        # Among those of its run alone: after hundreds of runs, to make all of them takes a second.
        for kept in self._of(run for run in self._runs if snapshot_id.startswith(run.run_id)):
            if kept.id == snapshot_id:
                return kept
        message = f"there is no snapshot {snapshot_id}"
        raise NotFoundError(message, (FieldProblem(loc=["snapshot_id"], msg=message),))

    def of_run(self, run_id: str) -> list[KeptSnapshot]:
        """Those of one run's folder, in the order of its growth."""
        found = self._of(run for run in self._runs if run.run_id == run_id)
        return sorted((kept for kept in found if kept.content.card.run_id == run_id), key=lambda kept: kept.id)

    def keep(self, content: Snapshot) -> KeptSnapshot:
        """Take one."""
        kept = KeptSnapshot(content, content.card.created_at, len(snapshots.content_of(content)))
        self._taken[kept.id] = kept
        self._deleted.discard(kept.id)
        return kept

    def delete(self, snapshot_id: str) -> None:
        """Delete one. Raises NotFoundError."""
        self.find(snapshot_id)
        self._taken.pop(snapshot_id, None)
        self._deleted.add(snapshot_id)

    def _of(self, runs: Iterable[FakeRun]) -> Iterator[KeptSnapshot]:
        """All that somebody took, and what these runs took."""
        yield from self._taken.values()
        gone = self._deleted | self._taken.keys()
        for run in runs:
            yield from (kept for kept in _recorded(run) if kept.id not in gone)


def _recorded(run: FakeRun) -> Iterator[KeptSnapshot]:
    """The snapshots that the run has taken by now: as the recorded run took them, and one at its end."""
    last = None
    for step in run.trainer.recording.steps:
        if (epoch := step.snapshot.epoch or 0) > run.state.epoch:
            break
        yield _as_of(run, step, epoch)
        last = step
    if last is not None and run.state.outcome is not None and last.snapshot.epoch != run.state.epoch:
        yield _as_of(run, last, run.state.epoch)


def _as_of(run: FakeRun, step: Step, epoch: int) -> KeptSnapshot:
    told = Card.model_validate(step.snapshot.model_dump()["card"])
    card = told.model_copy(
        update={
            "run_id": run.run_id,
            "epoch": epoch,
            "created_at": told.created_at + run.trainer.later_s,
            "seed": run.record.seed,
            "parameters": network_spec.as_json(run.parameters_at(epoch)),
            "dataset_id": run.record.dataset_id,
            "outcome": run.state.outcome if epoch == run.state.epoch else None,
        }
    )
    rows = run.trainer.rows(-1, epoch)
    content = Snapshot(card, step.network, STATE, {name: rows[name] for name in snapshots.METRICS})
    return KeptSnapshot(content, step.snapshot.created_at + run.trainer.later_s, step.snapshot.size_bytes)


def _size(network: Network) -> NetworkSize:
    return NetworkSize(
        inputs=network.n_inputs,
        hidden_units=network.n_hidden_units,
        outputs=network.n_outputs,
        weights=sum(map(len, network.hidden_weights)) + network.output_weights.size,
    )
