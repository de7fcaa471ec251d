"""The WebSockets of this service: each message with its model, each code with which they close."""

from pydantic import BaseModel, Field

from juniper_cascor.api.asyncapi import Channel, Messages
from juniper_cascor.api.client_texts import CLOSE_NOT_TEXT, CLOSE_TOO_FAST, CLOSE_TOO_LARGE
from juniper_cascor.api.training_socket import (
    CLOSE_FAILED,
    CLOSE_TOO_MANY,
    CLOSE_UNKNOWN_RUN,
    ClientMessage,
    ResumeRequest,
)
from juniper_common.security import CLOSE_FOREIGN_ORIGIN, CLOSE_UNAUTHORIZED
from juniper_common.wire.control import CommandResponse, ControlCommand
from juniper_common.wire.stream import Greeting, InitialMetrics, Nothing, Resumed, ResumeFailed, StreamMessage
from juniper_common.wire.training import (
    CandidateProgress,
    CascadeAdd,
    Heartbeat,
    MetricsMessage,
    Topology,
    TrainingEvent,
    TrainingStatus,
)

CLOSES = {
    CLOSE_NOT_TEXT: "The client sent bytes, not text.",
    CLOSE_TOO_LARGE: "The message is too large.",
    CLOSE_TOO_MANY: "Too many clients are connected.",
    CLOSE_UNAUTHORIZED: "The key is missing or wrong.",
    CLOSE_FOREIGN_ORIGIN: "A page of another origin asks, or one calls the service by a name that is not its own.",
    CLOSE_TOO_FAST: "The client sends too often.",
}
"""Whichever socket it is."""


class TrainingQuery(BaseModel):
    """What may stand in the address of the stream."""

    run: str | None = Field(default=None, description="The run to follow; left out: whichever is in the foreground.")


TRAINING = Channel(
    name="training",
    path="/ws/training",
    about=(
        "Everything that happens to a run. A client that reads slowly loses metrics that newer "
        "ones replace, and no change of state; one that comes back asks for what it missed."
    ),
    sends=Messages(
        envelope=StreamMessage,
        models={
            "connection_established": Greeting,
            "initial_status": TrainingStatus,
            "initial_metrics": InitialMetrics,
            "metrics": MetricsMessage,
            "state": TrainingStatus,
            "candidate_progress": CandidateProgress,
            "cascade_add": CascadeAdd,
            "topology": Topology,
            "event": TrainingEvent,
            "heartbeat": Heartbeat,
            "ping": Nothing,
            "pong": Nothing,
            "resume_ok": Resumed,
            "resume_failed": ResumeFailed,
        },
    ),
    receives=Messages(envelope=ClientMessage, models={"ping": Nothing, "pong": Nothing, "resume": ResumeRequest}),
    closes=CLOSES
    | {
        CLOSE_TOO_MANY: "Too many clients watch, or this one reads too slowly.",
        CLOSE_FAILED: "The run cannot be looked for just now.",
        CLOSE_UNKNOWN_RUN: "There is no such run.",
    },
    query=TrainingQuery,
)

CONTROL = Channel(
    name="control",
    path="/ws/control",
    about="Commands, each answered by one response, in order.",
    sends=Messages(
        envelope=StreamMessage, models={"connection_established": Greeting, "command_response": CommandResponse}
    ),
    receives=Messages(models={"command": ControlCommand}),
    closes=CLOSES,
)

CHANNELS = (TRAINING, CONTROL)
