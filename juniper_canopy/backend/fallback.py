"""The backend of a host whose training service may come later: recordings are shown until it does.

What was once there is waited for: in the midst of a run no recording takes its place.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing

from juniper_canopy.backend.protocol import BackendProtocol, Mode
from juniper_canopy.backend.telling import Services
from juniper_canopy.backend.updates import Update
from juniper_cascor.client import AsyncJuniperCascorClient
from juniper_common.health import Probe
from juniper_common.http import ClientError
from juniper_data.client import AsyncJuniperDataClient

PROBE_PERIOD_S = 1.0
PROBE_TIMEOUT_S = 2.0

log = logging.getLogger(__name__)


class FallbackBackend:
    """Fulfils BackendProtocol with the services, or with a demo until the training service first answers.

    Args:
        service: the services.
        open_demo: makes the demo, where it is needed.
    """

    def __init__(self, service: BackendProtocol, open_demo: Callable[[], BackendProtocol]) -> None:
        self._service = service
        self._open_demo = open_demo
        self._shown = service

    @property
    def mode(self) -> Mode:
        """Which of the two is shown."""
        return self._shown.mode

    @property
    def cascor(self) -> AsyncJuniperCascorClient:
        """The training service of what is shown."""
        return self._shown.cascor

    @property
    def data(self) -> AsyncJuniperDataClient:
        """The dataset service of what is shown."""
        return self._shown.data

    async def updates(self) -> AsyncGenerator[Update, None]:
        """What happens in the demo until the training service answers, and from then on what happens there."""
        if not await self._answers():
            log.warning("the training service does not answer: recordings are shown until it does")
            async with aclosing(self._demonstrate()) as updates:
                async for update in updates:
                    yield update
        log.info("the training service answers")
        async with aclosing(self._service.updates()) as updates:
            async for update in updates:
                yield update

    def probes(self) -> Mapping[str, Probe]:
        """How to ask each service how it is, shown or not."""
        return self._service.probes()

    def trains_on(self, dataset_id: str) -> bool:
        """As what is shown."""
        return self._shown.trains_on(dataset_id)

    def services(self) -> Services:
        """The real ones, shown or not: that they are away is what is to be told of them."""
        return self._service.services()

    async def close(self) -> None:
        """Let go of connections."""
        await self._service.close()

    async def _demonstrate(self) -> AsyncGenerator[Update, None]:
        demo = self._shown = self._open_demo()
        arrival = asyncio.create_task(self._arrival(), name="probe")
        try:
            async with aclosing(_until(arrival, demo.updates())) as updates:
                async for update in updates:
                    yield update
        finally:
            arrival.cancel()
            self._shown = self._service
            await demo.close()

    async def _arrival(self) -> None:
        while not await self._answers():
            await asyncio.sleep(PROBE_PERIOD_S)

    async def _answers(self) -> bool:
        try:
            async with asyncio.timeout(PROBE_TIMEOUT_S):
                await self._service.probes()["juniper_cascor"]()
        except (ClientError, TimeoutError):
            return False
        return True


async def _until(end: asyncio.Task[None], updates: AsyncGenerator[Update, None]) -> AsyncGenerator[Update, None]:
    """Yield updates until the task is done. Raises what it raises."""
    async with aclosing(updates):
        while True:
            coming = asyncio.ensure_future(anext(updates))
            try:
                await asyncio.wait((coming, end), return_when=asyncio.FIRST_COMPLETED)
            finally:
                if not coming.done():
                    coming.cancel()
                    await asyncio.wait((coming,))
            if end.done():
                end.result()
                return
            yield coming.result()
