"""The messages of `/ws/training`, as every watcher reads them."""

from typing import Literal

from pydantic import BaseModel, JsonValue

from juniper_common.wire.training import MetricRow


class StreamMessage(BaseModel):
    """One message: `data` is the model that `juniper_common.wire.training` has for its `type`.

    `seq` counts the messages of one server process; a watcher that lost its connection asks for those after the last
    one it has seen.
    """

    type: str
    timestamp: float = 0.0
    seq: int
    run_id: str | None = None
    data: dict[str, JsonValue] = {}


class Greeting(BaseModel):
    """The data of `connection_established`."""

    server_instance_id: str
    connections: int


class Resumed(BaseModel):
    """The data of `resume_ok`: what was missed, in order, up to where the connection began."""

    last_seq: int
    replayed: int
    messages: list[StreamMessage]


class InitialMetrics(BaseModel):
    """The data of `initial_metrics`: the newest rows, oldest first."""

    metrics: list[MetricRow]


class ResumeFailed(BaseModel):
    """The data of `resume_failed`: why what was missed is not known."""

    reason: Literal["malformed_resume", "server_restarted", "out_of_range"]


class Nothing(BaseModel):
    """The data of `ping` and `pong`."""
