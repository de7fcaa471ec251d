"""The process's one subscription to the training service: `/ws/training`, kept up for as long as the process lives."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator

import orjson
from pydantic import BaseModel, JsonValue, ValidationError
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from juniper_canopy.backend.updates import (
    Alive,
    Connected,
    Disconnected,
    Grown,
    Installed,
    Measured,
    Reported,
    Scored,
    Update,
)
from juniper_common.wire.training import (
    CandidateProgress,
    CascadeAdd,
    MetricsMessage,
    Topology,
    TrainingStatus,
)

FIRST_WAIT_S = 0.25
LONGEST_WAIT_S = 5.0
OPEN_TIMEOUT_S = 3.0
SILENCE_LIMIT_S = 20.0
"""The service pings oftener than this; longer silence is a connection that nobody closed."""

MAX_MESSAGE_BYTES = 64 * 2**20

log = logging.getLogger(__name__)


class Envelope(BaseModel):
    """What every message of the stream has."""

    type: str
    seq: int | None = None
    run_id: str | None = None
    data: dict[str, JsonValue] = {}


class _Missed(BaseModel):
    """The part of `resume_ok` that matters here."""

    messages: list[Envelope] = []


class TrainingStream:
    """Yields updates for ever, through every restart of the training service.

    After a break it asks for what it missed. Where the service no longer has that, or is another process than before,
    `Connected(resumed=False)` says that everything must be fetched again.
    """

    def __init__(self, url: str, api_key: str | None = None) -> None:
        self._url = url
        self._headers = {"X-API-Key": api_key} if api_key else {}
        self._instance_id: str | None = None
        self._last_seq: int | None = None

    async def updates(self) -> AsyncIterator[Update]:
        """The updates of one connection after another."""
        wait_s = FIRST_WAIT_S
        while True:
            try:
                async with connect(
                    self._url,
                    additional_headers=self._headers,
                    open_timeout=OPEN_TIMEOUT_S,
                    max_size=MAX_MESSAGE_BYTES,
                    proxy=None,
                ) as socket:
                    wait_s = FIRST_WAIT_S
                    async for update in self._updates_of(socket):
                        yield update
                    reason = socket.close_reason or "the training service closed the stream"
            except (OSError, TimeoutError, WebSocketException) as error:
                reason = str(error) or type(error).__name__
            log.info("no stream from the training service: %s", reason)
            yield Disconnected(reason)
            await asyncio.sleep(wait_s * random.uniform(0.8, 1.2))  # noqa: S311 - spreads retries, guards nothing
            wait_s = min(2 * wait_s, LONGEST_WAIT_S)

    async def _updates_of(self, socket: ClientConnection) -> AsyncIterator[Update]:
        while True:
            envelope = await self._receive(socket)
            if envelope is None:
                return
            match envelope.type:
                case "connection_established":
                    if not await self._ask_for_missed(socket, envelope):
                        yield Connected(resumed=False)
                case "resume_ok":
                    yield Connected(resumed=True)
                    for missed in _Missed.model_validate(envelope.data).messages:
                        if (update := self._take(missed)) is not None:
                            yield update
                case "resume_failed":
                    log.info("the training service could not resume: %s", envelope.data.get("reason"))
                    self._last_seq = None
                    yield Connected(resumed=False)
                case _:
                    if (update := self._take(envelope)) is not None:
                        yield update

    def _take(self, envelope: Envelope) -> Update | None:
        """A published message that was not heard before. Pings and greetings carry a number that is not their own."""
        if envelope.type not in _PUBLISHED or envelope.seq is None:
            return None
        if self._last_seq is not None and envelope.seq <= self._last_seq:
            return None
        self._last_seq = envelope.seq
        try:
            return read_update(envelope)
        except ValidationError as error:
            log.warning("a %s message of another version was left out: %s", envelope.type, error)
            return None

    async def _receive(self, socket: ClientConnection) -> Envelope | None:
        async with asyncio.timeout(SILENCE_LIMIT_S):
            try:
                return Envelope.model_validate(orjson.loads(await socket.recv()))
            except (ValidationError, orjson.JSONDecodeError) as error:
                await socket.close(1002, "not a message of this stream")
                log.warning("the training service sent no message of its stream: %s", error)
                return None

    async def _ask_for_missed(self, socket: ClientConnection, greeting: Envelope) -> bool:
        """Whether the service was asked to resume; the answer is a message of its own."""
        instance_id = greeting.data.get("server_instance_id")
        known, self._instance_id = self._instance_id, instance_id if isinstance(instance_id, str) else None
        if known is None or self._last_seq is None:
            return False
        data = {"last_seq": self._last_seq, "server_instance_id": known}
        await socket.send(orjson.dumps({"type": "resume", "data": data}).decode())
        return True


_PUBLISHED = frozenset({"state", "metrics", "candidate_progress", "cascade_add", "topology", "heartbeat", "event"})


def read_update(envelope: Envelope) -> Update | None:
    """The update that a message tells, or None for one that this dashboard has no use for."""
    run_id = envelope.run_id
    match envelope.type:
        case "state":
            return Reported(TrainingStatus.model_validate(envelope.data))
        case "heartbeat":
            return Alive(run_id)
    if run_id is None:
        return None
    match envelope.type:
        case "metrics":
            return Measured(run_id, envelope.seq or 0, MetricsMessage.model_validate(envelope.data))
        case "candidate_progress":
            return Scored(run_id, CandidateProgress.model_validate(envelope.data))
        case "cascade_add":
            return Installed(run_id, CascadeAdd.model_validate(envelope.data))
        case "topology":
            return Grown(run_id, Topology.model_validate(envelope.data))
    return None
