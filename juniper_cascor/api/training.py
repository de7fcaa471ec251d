"""`/v1/training`: start a run and command it."""

import time
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from juniper_cascor.api.envelope import success
from juniper_cascor.runs import network_spec
from juniper_cascor.runs.foreground import Foreground
from juniper_cascor.runs.state_machine import Command
from juniper_common.openapi import Operation
from juniper_common.requests import read_body
from juniper_common.wire.envelope import Success
from juniper_common.wire.training import (
    ChangeParameters,
    Commanded,
    RunParametersAnswer,
    StartTraining,
    TrainingStarted,
    TrainingStatus,
)

_DOCS: dict[Command, str] = {
    "stop": "End the run; when this answers, no more work is done for it.",
    "pause": "Hold the run; when this answers, no more work is done until it is resumed.",
    "resume": "Go on with the paused run.",
    "reset": "Forget the last run and unload the network; records and snapshots stay.",
}


def operations(foreground: Foreground) -> list[Operation]:
    """The operations on the run in the foreground."""

    async def start_training(request: Request) -> Response:
        """Start a run that grows a new network."""
        record = await foreground.start(await read_body(request, StartTraining))
        return success(TrainingStarted(timestamp=record.created_at, run_id=record.id))

    async def get_status(_: Request) -> Response:
        """Where the run stands."""
        return success(foreground.status())

    async def get_params(_: Request) -> Response:
        """The parameters of the run, or of the loaded network."""
        return success(_params(foreground))

    async def change_params(request: Request) -> Response:
        """Change what may change while a run trains: from its next phase on; the pace at once."""
        await foreground.change(await read_body(request, ChangeParameters))
        return success(_params(foreground))

    return [
        Operation(
            method="POST",
            path="/v1/training/start",
            handler=start_training,
            body=StartTraining,
            responses={200: Success[TrainingStarted]},
        ),
        *(_command(foreground, command) for command in _DOCS),
        Operation(
            method="GET", path="/v1/training/status", handler=get_status, responses={200: Success[TrainingStatus]}
        ),
        Operation(
            method="GET", path="/v1/training/params", handler=get_params, responses={200: Success[RunParametersAnswer]}
        ),
        Operation(
            method="PATCH",
            path="/v1/training/params",
            handler=change_params,
            body=ChangeParameters,
            responses={200: Success[RunParametersAnswer]},
        ),
    ]


def _command(foreground: Foreground, command: Command) -> Operation:
    return Operation(
        method="POST",
        path=f"/v1/training/{command}",
        handler=_command_handler(foreground, command),
        responses={200: Success[Commanded]},
    )


def _command_handler(foreground: Foreground, command: Command) -> Callable[[Request], Awaitable[Response]]:
    async def handler(_: Request) -> Response:
        state = await foreground.command(command)
        return success(Commanded(status=state.status, timestamp=time.time(), run_id=state.run_id))

    handler.__doc__ = _DOCS[command]
    handler.__name__ = f"{command}_training"
    return handler


def _params(foreground: Foreground) -> RunParametersAnswer:
    record = foreground.run.record if foreground.run else None
    return RunParametersAnswer(
        params=network_spec.as_json(foreground.loaded_spec().parameters),
        seed=record.seed if record else None,
        pace=record.pace if record else None,
    )
