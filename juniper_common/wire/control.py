"""The messages of `/ws/control`."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

CommandName = Literal["start", "stop", "pause", "resume", "reset", "set_params"]


class ControlCommand(BaseModel):
    """What a client asks for: `params` is the body of the same call over HTTP, for start and set_params."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    command: CommandName
    params: dict[str, JsonValue] = {}
    command_id: str | int | None = Field(default=None, description="Comes back with the response.")


class CommandResponse(BaseModel):
    """The data of `command_response`: what the same call over HTTP answers, or why it was refused."""

    command: str | None
    command_id: str | int | None = None
    status: Literal["success", "error"]
    result: dict[str, JsonValue] | None = None
    error: str | None = None
