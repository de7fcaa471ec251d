"""`/v1/training`: start a run and command it."""

import time
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from juniper_cascor.api.chosen import Chosen, ChosenRun, Watched
from juniper_cascor.api.envelope import success
from juniper_cascor.runs.snapshot_actions import SnapshotActions, started
from juniper_cascor.runs.state_machine import Command
from juniper_common.errors import NotFoundError
from juniper_common.openapi import Operation
from juniper_common.requests import read_body, read_query
from juniper_common.wire.envelope import Success
from juniper_common.wire.training import (
    ChangeParameters,
    Commanded,
    RunParametersAnswer,
    StartTraining,
    SwapDataset,
    TrainingStarted,
    TrainingStatus,
)

_DOCS: dict[Command, str] = {
    "stop": "End the run; when this answers, no more work is done for it.",
    "pause": "Hold the run; when this answers, no more work is done until it is resumed.",
    "resume": "Go on with the paused run, or with the training of the restored snapshot.",
}


class TrainingCommands:
    """What the foreground, or one run, may be told: the same over HTTP and over the control socket."""

    def __init__(self, chosen: Chosen, actions: SnapshotActions) -> None:
        self._chosen = chosen
        self._actions = actions

    async def start(self, request: StartTraining) -> TrainingStarted:
        """Start a run. Raises as `Foreground.start`."""
        return started(await self._chosen.foreground.start(request))

    async def command(self, command: Command, run_id: str | None = None, field: str = "run") -> Commanded:
        """Pause, resume or stop. Raises NotFoundError, ConflictError, UnavailableError."""
        if run_id is not None:
            session = await self._chosen.runs.find(run_id, field)
            await session.command(command)
        elif command == "resume" and self._chosen.foreground.stage.is_restored:
            session = await self._actions.resume_restored()
        else:
            session = await self._chosen.foreground.command(command)
        return Commanded(status=session.state.status, timestamp=time.time(), run_id=session.run_id)

    async def reset(self) -> Commanded:
        """Forget the last run. Raises ConflictError."""
        await self._chosen.foreground.reset()
        return Commanded(status="STOPPED", timestamp=time.time(), run_id=None)

    async def change(self, request: ChangeParameters, run_id: str | None = None) -> RunParametersAnswer:
        """Change parameters. Raises as `Foreground.change`."""
        if run_id is None:
            await self._chosen.foreground.change(request)
            return parameters_of(self._chosen.foreground)
        session = await self._chosen.runs.find(run_id, "run")
        await session.change_parameters(request)
        return parameters_of(session)

    async def swap(self, request: SwapDataset, run_id: str | None = None) -> TrainingStatus:
        """Train on other data. Raises as `Foreground.swap`."""
        session = None if run_id is None else await self._chosen.runs.find(run_id, "run")
        await self._chosen.foreground.swap(request, session)
        return (session or self._chosen.foreground).status()


def parameters_of(watched: Watched) -> RunParametersAnswer:
    """Every parameter of a run, or of the loaded network. Raises NotFoundError where there is none."""
    status = watched.status()
    if not status.params:
        raise NotFoundError("no network is loaded: create one, or start training")
    return RunParametersAnswer(params=status.params, seed=status.seed, pace=status.pace)


def operations(chosen: Chosen, commands: TrainingCommands) -> list[Operation]:
    """The operations on the run in the foreground, or on that of `?run=`."""

    async def start_training(request: Request) -> Response:
        """Start a run that grows a new network, or grows on from the loaded one."""
        return success(await commands.start(await read_body(request, StartTraining)))

    async def reset_training(_: Request) -> Response:
        """Forget the last run and unload the network; records and snapshots stay."""
        return success(await commands.reset())

    async def get_status(request: Request) -> Response:
        """Where the run stands."""
        return success((await chosen.of(request)).status())

    async def get_params(request: Request) -> Response:
        """The parameters of the run, or of the loaded network."""
        return success(parameters_of(await chosen.of(request)))

    async def change_params(request: Request) -> Response:
        """Change what may change while a run trains: from its next phase on; the pace at once."""
        run_id = read_query(request, ChosenRun).run
        return success(await commands.change(await read_body(request, ChangeParameters), run_id))

    async def swap_dataset(request: Request) -> Response:
        """Train on other data from the run's next phase on."""
        run_id = read_query(request, ChosenRun).run
        return success(await commands.swap(await read_body(request, SwapDataset), run_id))

    return [
        Operation(
            method="POST",
            path="/v1/training/start",
            handler=start_training,
            body=StartTraining,
            responses={200: Success[TrainingStarted]},
        ),
        *(_command(commands, command) for command in _DOCS),
        Operation(
            method="POST", path="/v1/training/reset", handler=reset_training, responses={200: Success[Commanded]}
        ),
        Operation(
            method="GET",
            path="/v1/training/status",
            handler=get_status,
            query=ChosenRun,
            responses={200: Success[TrainingStatus]},
        ),
        Operation(
            method="GET",
            path="/v1/training/params",
            handler=get_params,
            query=ChosenRun,
            responses={200: Success[RunParametersAnswer]},
        ),
        Operation(
            method="PATCH",
            path="/v1/training/params",
            handler=change_params,
            query=ChosenRun,
            body=ChangeParameters,
            responses={200: Success[RunParametersAnswer]},
        ),
        Operation(
            method="PUT",
            path="/v1/dataset",
            handler=swap_dataset,
            query=ChosenRun,
            body=SwapDataset,
            responses={200: Success[TrainingStatus]},
        ),
    ]


def _command(commands: TrainingCommands, command: Command) -> Operation:
    return Operation(
        method="POST",
        path=f"/v1/training/{command}",
        handler=_command_handler(commands, command),
        query=ChosenRun,
        responses={200: Success[Commanded]},
    )


def _command_handler(commands: TrainingCommands, command: Command) -> Callable[[Request], Awaitable[Response]]:
    async def handler(request: Request) -> Response:
        return success(await commands.command(command, read_query(request, ChosenRun).run))

    handler.__doc__ = _DOCS[command]
    handler.__name__ = f"{command}_training"
    return handler
