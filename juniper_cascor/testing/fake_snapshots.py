"""The snapshots of the fake service, in memory: those that the recorded runs took, and those that somebody takes."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from juniper_cascor import snapshots
from juniper_cascor.engine.network import Network
from juniper_cascor.runs import network_spec
from juniper_cascor.snapshots import METRICS, Card, Snapshot
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
from juniper_common.wire.training import MetricRow


@dataclass(frozen=True, eq=False)
class KeptSnapshot:
    """One snapshot: what is said of it, and what is in it."""

    detail: SnapshotDetail
    network: Network
    rows: Sequence[MetricRow] = ()

    @property
    def card(self) -> Card:
        """What it says of itself."""
        if self.detail.card is None:
            raise ValueError(f"snapshot {self.detail.id} has no card")
        return Card.model_validate(self.detail.card.model_dump())

    def snapshot(self) -> Snapshot:
        """Its content, but for the state of the training, which no recording has."""
        columns = {name: np.array([_value(row, name) for row in self.rows], kind) for name, kind in METRICS.items()}
        return Snapshot(self.card, self.network, metrics=columns)

    def file(self) -> bytes:
        """What its file holds."""
        return bytes(snapshots.content_of(self.snapshot()))


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
        found = [kept.detail for kept in self._all() if run_id is None or kept.detail.run_id == run_id]
        found = [detail for detail in found if state is None or detail.state == state]
        found.sort(key=lambda detail: (detail.created_at, detail.epoch or 0), reverse=True)
        page = [SnapshotInfo.model_validate(dict(detail)) for detail in found[offset : offset + limit]]
        return SnapshotList(snapshots=page, total=len(found))

    def find(self, snapshot_id: str) -> KeptSnapshot:
        """One of them. Raises NotFoundError."""
        for kept in self._all():
            if kept.detail.id == snapshot_id:
                return kept
        message = f"there is no snapshot {snapshot_id}"
        raise NotFoundError(message, (FieldProblem(loc=["snapshot_id"], msg=message),))

    def of_run(self, run_id: str) -> list[KeptSnapshot]:
        """Those of one run's folder, in the order of its growth."""
        found = [kept for kept in self._all() if kept.detail.run_id == run_id]
        return sorted(found, key=lambda kept: (kept.card.hidden_units, kept.card.epoch))

    def keep(self, card: Card, network: Network, rows: Sequence[MetricRow], *, can_resume: bool) -> SnapshotInfo:
        """Take one."""
        snapshot_id = f"{card.run_id}.{card.hidden_units:05}-{card.epoch:09}"
        detail = SnapshotDetail(
            id=snapshot_id,
            run_id=card.run_id,
            epoch=card.epoch,
            hidden_units=card.hidden_units,
            created_at=card.created_at,
            size_bytes=len(snapshots.content_of(Snapshot(card, network))),
            can_resume=can_resume,
            card=SnapshotCard.model_validate(card.model_dump()),
            network=_size(network),
            metrics=rows[-1] if rows else None,
        )
        self._taken[snapshot_id] = KeptSnapshot(detail, network, rows)
        self._deleted.discard(snapshot_id)
        return SnapshotInfo.model_validate(dict(detail))

    def delete(self, snapshot_id: str) -> None:
        """Delete one. Raises NotFoundError."""
        self.find(snapshot_id)
        self._taken.pop(snapshot_id, None)
        self._deleted.add(snapshot_id)

    def _all(self) -> Iterator[KeptSnapshot]:
        yield from self._taken.values()
        gone = self._deleted | self._taken.keys()
        for run in self._runs:
            yield from (kept for kept in _recorded(run) if kept.detail.id not in gone)


def _recorded(run: FakeRun) -> Iterator[KeptSnapshot]:
    """The snapshots that the run has taken by now: as the recorded run took them, and one at its end."""
    last = None
    for step in run.recording.steps:
        if (epoch := step.snapshot.epoch or 0) > run.state.epoch:
            break
        yield _as_of(run, step, epoch)
        last = step
    if last is not None and run.state.outcome is not None and last.snapshot.epoch != run.state.epoch:
        yield _as_of(run, last, run.state.epoch)


def _as_of(run: FakeRun, step: Step, epoch: int) -> KeptSnapshot:
    detail, card = step.snapshot, step.snapshot.card
    later_s = run.record.created_at - run.recording.run.created_at
    if card is not None:
        update = {
            "run_id": run.run_id,
            "epoch": epoch,
            "created_at": card.created_at + later_s,
            "seed": run.record.seed,
            "parameters": network_spec.as_json(run.parameters),
            "outcome": run.state.outcome if epoch == run.state.epoch else None,
        }
        card = card.model_copy(update=update)
    told = {
        "id": f"{run.run_id}.{detail.hidden_units:05}-{epoch:09}",
        "run_id": run.run_id,
        "epoch": epoch,
        "created_at": detail.created_at + later_s,
        "card": card,
    }
    return KeptSnapshot(detail.model_copy(update=told), step.network(), run.rows(-1, epoch))


def _value(row: MetricRow, name: str) -> float:
    if name == "phase":
        return float(row.phase == "candidate")
    value: float | None = getattr(row, {"time": "timestamp"}.get(name, name))
    return float("nan") if value is None else value


def _size(network: Network) -> NetworkSize:
    return NetworkSize(
        inputs=network.n_inputs,
        hidden_units=network.n_hidden_units,
        outputs=network.n_outputs,
        weights=sum(map(len, network.hidden_weights)) + network.output_weights.size,
    )
