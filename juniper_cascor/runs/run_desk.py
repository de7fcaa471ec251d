"""Takes posts of one run or many: a sweep over parameters and seeds on the same data."""

import asyncio
import secrets
from typing import NamedTuple

from juniper_cascor.engine.parameters import Parameters
from juniper_cascor.runs import new_run
from juniper_cascor.runs.datasets import Datasets, FoundDataset
from juniper_cascor.runs.runs import NewRun, Runs
from juniper_common.wire.runs import RunsQueued, StartRuns
from juniper_common.wire.training import OnRestart, RunParameters


class _Planned(NamedTuple):
    asked: RunParameters
    parameters: Parameters


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
        # In threads: a thousand runs of a sweep are not checked in a moment.
        planned = await asyncio.to_thread(_planned, request)
        found = await self._datasets.find(request, planned[0].parameters.task)
        new = await asyncio.to_thread(self._new, request, planned, found)
        sessions = await self._runs.add(new)
        return RunsQueued(runs=[session.record for session in sessions], sweep_id=new[0].record.sweep_id)

    def _new(self, request: StartRuns, planned: list[_Planned], found: FoundDataset) -> list[NewRun]:
        sweep_id = secrets.token_hex(8) if len(planned) > 1 else None
        annotated = {"sweep_id": sweep_id, "notes": request.notes, "tags": list(request.tags)}
        new = []
        for asked, parameters in planned:
            new_run.check_task(parameters, planned[0].parameters.task)
            new_run.check_classes(parameters, found)
            record = new_run.new_record(parameters, asked, found, on_restart=request.on_restart or self._on_restart)
            new.append(NewRun(record.model_copy(update=annotated), new_run.spec_of(parameters, found)))
        return new


def _planned(request: StartRuns) -> list[_Planned]:
    return [_Planned(asked, new_run.swept_parameters(request, asked)) for asked in new_run.sweep(request)]
