"""Follows one backend for the whole process: updates go into the live state, and what no message brings is fetched.

The boundary is computed by the training service only when somebody looks, at most twice a second, and only while the
network changes: in the output phase, and after an installation. The topology is told at each installation; what its
output weights came to is fetched when the output phase is over.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Literal, TypeVar

from juniper_canopy.backend.protocol import BackendProtocol, if_there
from juniper_canopy.backend.updates import Connected, Grown, Installed, Measured, Reported, Update
from juniper_canopy.state.columns import MetricColumns
from juniper_canopy.state.live import LiveState
from juniper_canopy.state.pictures import BoundaryPicture, DatasetPicture
from juniper_canopy.transport.broadcaster import Broadcaster
from juniper_common.http import ClientError, InvalidRequestError
from juniper_common.wire.datasets import DatasetMeta
from juniper_common.wire.training import DatasetData, DecisionBoundary, TrainingStatus

BOUNDARY_RESOLUTION = 100
BOUNDARY_PERIOD_S = 0.5
HISTORY_ROWS = 50_000

Picture = Literal["dataset", "boundary", "topology"]
Plane = TypeVar("Plane", DatasetData, DecisionBoundary)

log = logging.getLogger(__name__)


class Follower:
    """Runs two tasks: one takes updates as they come, one fetches pictures when somebody looks.

    Args:
        backend: whom to follow.
        live: where updates go.
        broadcaster: told when there is news; knows whether somebody looks.
        on_report: called after the reported state or the connection changed.
    """

    def __init__(
        self, backend: BackendProtocol, live: LiveState, broadcaster: Broadcaster, on_report: Callable[[], None]
    ) -> None:
        self._backend = backend
        self._live = live
        self._broadcaster = broadcaster
        self._on_report = on_report
        self._wants_history = False
        self._wanted: set[Picture] = {"dataset", "boundary"}
        self._pictured: tuple[str | None, str | None] | None = None
        self._outputs_moved = False
        self._staged: TrainingStatus | bool | None = None

    async def follow(self) -> None:
        """Take updates until cancelled."""
        async with aclosing(self._backend.updates()) as updates:
            async for update in updates:
                self._live.turn_to(self._backend.mode)
                self._live.apply(update)
                if isinstance(update, Connected) and not update.resumed:
                    self._wants_history = True
                if isinstance(update, Reported) and self._stage() != self._staged:
                    self._wants_history = True
                    self._wanted |= {"dataset", "boundary"}
                if isinstance(update, Connected | Reported) and self._wants_history:
                    await self._fetch_history()
                self._note(update)
                self._broadcaster.wake()

    async def picture(self) -> None:
        """Fetch what is out of date, until cancelled."""
        while True:
            await asyncio.sleep(BOUNDARY_PERIOD_S)
            if self._live.link_up and self._wants_history:
                await self._fetch_history()
                self._on_report()
                self._broadcaster.wake()
            if self._broadcaster.browsers and self._live.link_up and self._wanted:
                try:
                    await self._fetch_pictures()
                except ClientError as error:
                    log.warning("no picture of the network: %s", error)
                self._broadcaster.wake()

    def _note(self, update: Update) -> None:
        if not isinstance(update, Measured):
            self._on_report()
        if isinstance(update, Installed | Grown | Connected) or _moves_outputs(update):
            self._wanted.add("boundary")
        self._note_outputs(update)
        if isinstance(update, Reported | Connected) and self._subject() != self._pictured:
            self._wanted |= {"dataset", "boundary"}

    def _note_outputs(self, update: Update) -> None:
        if _moves_outputs(update):
            self._outputs_moved = True
        elif self._outputs_moved and isinstance(update, Measured | Reported):
            self._outputs_moved = False
            self._wanted.add("topology")

    def _subject(self) -> tuple[str | None, str | None]:
        """Another run or another dataset means other patterns."""
        status = self._live.status
        return (None, None) if status is None else (status.run_id, status.dataset_id)

    def _stage(self) -> TrainingStatus | bool | None:
        """What is shown other than a training, of which no message tells: a replay, or a network that was loaded."""
        status = self._live.status
        if status is None or status.run_id is None:
            return status
        return status.state_machine.status == "REPLAYING"

    async def _fetch_history(self) -> None:
        try:
            status = await self._backend.cascor.status()
            self._live.report(status)
            has_network = status.run_id is not None or status.network_loaded
            shown = self._live.topology
            # First, so that the rows tell of every unit that it has but of one without an epoch.
            topology = await if_there(self._backend.cascor.topology())
            units = len(topology.hidden_units) if topology else 0
            rows = await self._backend.cascor.history(HISTORY_ROWS) if has_network else []
            scores = {row.hidden_units: row.score for row in rows if row.score is not None}
            self._live.load(status.run_id, MetricColumns.of_rows(rows), scores, units)
            if self._live.topology is shown:  # else a unit was installed meanwhile
                self._live.set_topology(topology)
            self._wants_history = False
            self._staged = self._stage()
        except ClientError as error:
            log.warning("the history could not be fetched, trying again: %s", error)

    async def _fetch_pictures(self) -> None:
        fetches: dict[Picture, Callable[[], Awaitable[None]]] = {
            "dataset": self._fetch_dataset,
            "boundary": self._fetch_boundary,
            "topology": self._fetch_topology,
        }
        for picture, fetch in fetches.items():
            if picture not in self._wanted:
                continue
            # A wish is struck off before the answer comes: what changes meanwhile is wished for again.
            self._wanted.discard(picture)
            try:
                await fetch()
            except ClientError:
                self._wanted.add(picture)
                raise

    async def _fetch_topology(self) -> None:
        before = self._live.topology
        topology = await if_there(self._backend.cascor.topology())
        if self._live.topology is before:  # else a unit was installed meanwhile, or another run is shown
            self._live.set_topology(topology)

    async def _fetch_dataset(self) -> None:
        subject = self._subject()
        dataset = await _if_plane(self._backend.cascor.dataset_data(x_feature=0, y_feature=1))
        meta = await self._fetch_meta(dataset.dataset_id) if dataset and dataset.dataset_id else None
        self._live.set_dataset(DatasetPicture.of(dataset, meta=meta) if dataset else None)
        self._pictured = subject

    async def _fetch_meta(self, dataset_id: str) -> DatasetMeta | None:
        try:
            return await if_there(self._backend.data.get_dataset(dataset_id))
        except ClientError as error:
            log.warning("the names in dataset %s are not shown: %s", dataset_id, error)
            return None

    async def _fetch_boundary(self) -> None:
        run_id = self._live.run_id
        boundary = await _if_plane(self._backend.cascor.decision_boundary(BOUNDARY_RESOLUTION))
        if run_id == self._live.run_id:  # else it is a picture of another run
            self._live.set_boundary(BoundaryPicture.of(boundary) if boundary else None)


def _moves_outputs(update: Update) -> bool:
    # An installation begins an output phase, which may be over before any of its epochs is the newest of a message.
    return isinstance(update, Installed) or (isinstance(update, Measured) and update.metrics.phase == "output")


async def _if_plane(call: Awaitable[Plane]) -> Plane | None:
    try:
        return await if_there(call)
    except InvalidRequestError:  # One input makes no plane, however often it is asked.
        return None
