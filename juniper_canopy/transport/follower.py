"""Follows one backend for the whole process: updates go into the live state, and what no message brings is fetched.

The boundary is computed by the training service only when somebody looks, at most twice a second, and only while the
network changes: in the output phase, and after an installation.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from juniper_canopy.backend.protocol import BackendProtocol
from juniper_canopy.backend.updates import Connected, Grown, Installed, Measured, Reported, Update
from juniper_canopy.state.columns import MetricColumns
from juniper_canopy.state.live import LiveState
from juniper_canopy.state.pictures import BoundaryPicture, DatasetPicture
from juniper_canopy.transport.broadcaster import Broadcaster
from juniper_common.http import ClientError

BOUNDARY_RESOLUTION = 100
BOUNDARY_PERIOD_S = 0.5
HISTORY_ROWS = 50_000

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Wanted:
    """What is to be fetched."""

    history: bool = False
    boundary: bool = True
    dataset: bool = True


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
        self._wanted = _Wanted()
        self._pictured: tuple[str | None, str | None] | None = None

    async def follow(self) -> None:
        """Take updates until cancelled."""
        async for update in self._backend.updates():
            self._live.apply(update)
            if isinstance(update, Connected) and not update.resumed:
                self._wanted.history = True
                await self._fetch_history()
            self._note(update)
            self._broadcaster.wake()

    async def picture(self) -> None:
        """Fetch what is out of date, until cancelled."""
        while True:
            await asyncio.sleep(BOUNDARY_PERIOD_S)
            if self._live.link_up and self._wanted.history:
                await self._fetch_history()
                self._on_report()
                self._broadcaster.wake()
            if self._broadcaster.browsers and self._live.link_up and (self._wanted.boundary or self._wanted.dataset):
                try:
                    await self._fetch_pictures()
                except ClientError as error:
                    log.warning("no picture of the network: %s", error)
                self._broadcaster.wake()

    def _note(self, update: Update) -> None:
        if not isinstance(update, Measured):
            self._on_report()
        if isinstance(update, Installed | Grown | Connected) or (
            isinstance(update, Measured) and update.metrics.phase == "output"
        ):
            self._wanted.boundary = True
        if isinstance(update, Reported | Connected) and self._subject() != self._pictured:
            self._wanted.dataset = True
            self._wanted.boundary = True

    def _subject(self) -> tuple[str | None, str | None]:
        """Another run or another dataset means other patterns."""
        status = self._live.status
        return (None, None) if status is None else (status.run_id, status.dataset_id)

    async def _fetch_history(self) -> None:
        try:
            status = await self._backend.status()
            self._live.report(status)
            if status.run_id is not None:
                self._live.load(status.run_id, MetricColumns.of_rows(await self._backend.history(HISTORY_ROWS)))
            self._live.set_topology(await self._backend.topology())
            self._wanted.history = False
        except ClientError as error:
            log.warning("the history could not be fetched, trying again: %s", error)

    async def _fetch_pictures(self) -> None:
        # A wish is struck off before the answer comes: what changes meanwhile is wished for again.
        if self._wanted.dataset:
            self._wanted.dataset = False
            try:
                await self._fetch_dataset()
            except ClientError:
                self._wanted.dataset = True
                raise
        if self._wanted.boundary:
            self._wanted.boundary = False
            try:
                await self._fetch_boundary()
            except ClientError:
                self._wanted.boundary = True
                raise

    async def _fetch_dataset(self) -> None:
        subject = self._subject()
        dataset = await self._backend.dataset()
        self._live.set_dataset(DatasetPicture.of(dataset) if dataset else None)
        self._pictured = subject

    async def _fetch_boundary(self) -> None:
        run_id = self._live.run_id
        boundary = await self._backend.decision_boundary(BOUNDARY_RESOLUTION)
        if run_id == self._live.run_id:  # else it is a picture of another run
            self._live.set_boundary(BoundaryPicture.of(boundary) if boundary else None)
