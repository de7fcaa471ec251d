"""`POST /v1/runs` and the commands of one run: a queue of trainings, trained one after another or side by side."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from juniper_cascor.api.envelope import success
from juniper_cascor.api.training import TrainingCommands
from juniper_cascor.runs.run_desk import RunDesk
from juniper_cascor.runs.state_machine import Command
from juniper_common.openapi import Operation
from juniper_common.requests import read_body
from juniper_common.wire.envelope import Success
from juniper_common.wire.runs import RunsQueued, StartRuns
from juniper_common.wire.training import Commanded

_DOCS: dict[Command, str] = {
    "stop": "End the run, or take it out of the queue.",
    "pause": "Hold the run; it keeps its trainer.",
    "resume": "Go on with the run.",
}


def operations(desk: RunDesk, commands: TrainingCommands) -> list[Operation]:
    """The operations that make and command runs."""

    async def post_runs(request: Request) -> Response:
        """Queue a run, or one for each combination of `sweep` and `seeds`; none is queued if one of them cannot be."""
        return success(await desk.post(await read_body(request, StartRuns)), 201)

    return [
        Operation(
            method="POST", path="/v1/runs", handler=post_runs, body=StartRuns, responses={201: Success[RunsQueued]}
        ),
        *(
            Operation(
                method="POST",
                path=f"/v1/runs/{{run_id}}/{command}",
                handler=_handler(commands, command),
                responses={200: Success[Commanded]},
            )
            for command in _DOCS
        ),
    ]


def _handler(commands: TrainingCommands, command: Command) -> Callable[[Request], Awaitable[Response]]:
    async def handler(request: Request) -> Response:
        return success(await commands.command(command, request.path_params["run_id"], "run_id"))

    handler.__doc__ = _DOCS[command]
    handler.__name__ = f"{command}_run"
    return handler
