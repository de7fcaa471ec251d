"""Takes posts of one run or many: a sweep over parameters and seeds on the same data."""

import secrets

from juniper_cascor.engine.parameters import Parameters
from juniper_cascor.runs import new_run
from juniper_cascor.runs.datasets import Datasets
from juniper_cascor.runs.runs import NewRun, Runs
from juniper_common.wire.runs import RunsQueued, StartRuns
from juniper_common.wire.training import OnRestart


class RunDesk:
    """Where runs are posted.

    Args:
        runs: all of them.
        datasets: where data comes from.
        on_restart: what becomes of an interrupted run whose post does not say.
    """

    def __init__(self, runs: Runs, datasets: Datasets, on_restart: OnRestart) -> None:
        self._runs = runs
        self._datasets = datasets
        self._on_restart = on_restart

    async def post(self, request: StartRuns) -> RunsQueued:
        """Queue what is asked for: all of it, or nothing.

        Raises:
            UnprocessableError: a parameter, a value of the sweep or the data cannot be.
            NotFoundError, UnavailableError: the data cannot be had.
        """
        asked = new_run.sweep(request)
        parameters = [new_run.run_parameters(Parameters(), each, request.epochs) for each in asked]
        found = await self._datasets.find(request, parameters[0].task)
        sweep_id = secrets.token_hex(8) if len(asked) > 1 else None
        new = []
        for each, own in zip(asked, parameters, strict=True):
            new_run.check_task(own, parameters[0].task)
            new_run.check_classes(own, found)
            record = new_run.new_record(own, each, found, on_restart=request.on_restart or self._on_restart)
            annotated = {"sweep_id": sweep_id, "notes": request.notes, "tags": list(request.tags)}
            new.append(NewRun(record.model_copy(update=annotated), new_run.spec_of(own, found)))
        sessions = await self._runs.add(new)
        return RunsQueued(runs=[session.record for session in sessions], sweep_id=sweep_id)
