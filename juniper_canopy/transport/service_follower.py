"""Asks each service how it is, while some browser is open or somebody wants to know."""

import asyncio
import logging
from collections.abc import Callable, Mapping

from juniper_canopy.backend.telling import ServiceName, Services, TellsOfItself
from juniper_canopy.state.services import PERIOD_S, SHORTEST_S, Answer, Away, ServiceStates, Told
from juniper_common.http import ClientError, UnreachableError

TIMEOUT_S = 1.5
"""Less than the period: a service that hangs is away, and keeps no figures of the others back."""

log = logging.getLogger(__name__)


class ServiceFollower:
    """The one in this process that asks, whoever wants to know.

    Args:
        services: whom to ask.
        states: where answers go.
        is_watched: whether some browser is open.
        clock_s: Unix seconds.
    """

    def __init__(
        self, services: Services, states: ServiceStates, is_watched: Callable[[], bool], clock_s: Callable[[], float]
    ) -> None:
        self._services = services
        self._states = states
        self._is_watched = is_watched
        self._clock_s = clock_s
        self._lock = asyncio.Lock()

    async def run(self) -> None:
        """Ask once a period while somebody watches, until cancelled."""
        while True:
            if self._is_watched():
                await self.refresh()
            await asyncio.sleep(PERIOD_S)

    async def refresh(self) -> None:
        """Ask all at once, unless they were asked within this period."""
        async with self._lock:
            newest = self._states.samples.newest
            now_s = self._clock_s()
            if newest is not None and 0 <= now_s - newest < SHORTEST_S:
                return
            answers = await asyncio.gather(*(_ask(service) for service in self._services.values()))
            self._take(now_s, dict(zip(self._services, answers, strict=True)))

    def _take(self, now_s: float, answers: Mapping[ServiceName, Answer]) -> None:
        """Take the answers in; the log hears of who has come or gone, once."""
        for name, answer in answers.items():
            was_there = self._states.states[name].away is None
            if isinstance(answer, Away) and was_there:
                log.warning("juniper-%s tells nothing of itself any more: %s", name, answer.problem)
            elif isinstance(answer, Told) and not was_there:
                log.info("juniper-%s tells of itself", name)
        self._states.take(now_s, answers)


async def _ask(service: TellsOfItself) -> Answer:
    try:
        async with asyncio.timeout(TIMEOUT_S):
            return Told(await service.host(), await service.readiness())
    except UnreachableError as error:
        return Away(str(error))
    except ClientError as error:
        return Away(str(error), answers=True)
    except TimeoutError:
        return Away(f"no answer within {TIMEOUT_S:g} s")
