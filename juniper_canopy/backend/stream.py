"""The process's one subscription to the training service, kept up for as long as the process lives."""

import asyncio
import logging
import random
from collections.abc import AsyncGenerator
from contextlib import aclosing

from pydantic import ValidationError

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
from juniper_cascor.client import CascorTrainingStream
from juniper_common.errors import UnprocessableError
from juniper_common.http import UnreachableError
from juniper_common.wire.stream import StreamMessage
from juniper_common.wire.training import (
    CandidateProgress,
    CascadeAdd,
    MetricsMessage,
    Topology,
    TrainingStatus,
)

FIRST_WAIT_S = 0.25
LONGEST_WAIT_S = 1.0
"""However long the service was away, the page is to be live soon after its return; a try costs next to nothing."""

log = logging.getLogger(__name__)


async def follow(stream: CascorTrainingStream) -> AsyncGenerator[Update, None]:
    """Yield updates for ever, through every restart of the training service, with growing pauses between tries."""
    wait_s = FIRST_WAIT_S
    while True:
        try:
            async with aclosing(stream.messages()) as messages:
                async for message in messages:
                    wait_s = FIRST_WAIT_S
                    if (update := _readable(message)) is not None:
                        yield update
        except UnreachableError as error:
            log.info("no stream from the training service: %s", error)
            yield Disconnected(str(error))
        await asyncio.sleep(wait_s * random.uniform(0.8, 1.2))  # noqa: S311 - spreads retries, guards nothing
        wait_s = min(2 * wait_s, LONGEST_WAIT_S)


def _readable(message: StreamMessage) -> Update | None:
    try:
        return read_update(message)
    except ValidationError as error:
        log.warning("a %s message of another version was left out: %s", message.type, _wrong(error))
        return None


def _wrong(error: ValidationError) -> str:
    # Pydantic's own words tell what each value was: of a message with many points a page of them.
    return UnprocessableError.from_validation(error).message


def read_update(message: StreamMessage) -> Update | None:
    """The update that a message tells, or None for one that this dashboard has no use for."""
    run_id = message.run_id
    match message.type:
        case "connection_established":
            return Connected(resumed=False)
        case "resume_ok":
            return Connected(resumed=True)
        case "state":
            return Reported(TrainingStatus.model_validate(message.data))
        case "heartbeat":
            return Alive(run_id)
    if run_id is None:
        return None
    match message.type:
        case "metrics":
            return Measured(run_id, message.seq, MetricsMessage.model_validate(message.data))
        case "candidate_progress":
            return Scored(run_id, CandidateProgress.model_validate(message.data))
        case "cascade_add":
            return Installed(run_id, CascadeAdd.model_validate(message.data))
        case "topology":
            return Grown(run_id, Topology.model_validate(message.data))
    return None
