"""`/v1/workers`: the trainer processes, and what each of them does."""

import psutil
from starlette.requests import Request
from starlette.responses import Response

from juniper_cascor.api.envelope import success
from juniper_cascor.runs.run_queue import RunQueue
from juniper_cascor.runs.session import Session
from juniper_cascor.runs.trainer_keeper import TrainerKeeper
from juniper_common.errors import NotFoundError
from juniper_common.openapi import Operation
from juniper_common.wire.envelope import Success
from juniper_common.wire.errors import FieldProblem
from juniper_common.wire.workers import Worker, WorkerList, WorkerState, WorkerStats


def operations(queue: RunQueue) -> list[Operation]:
    """The operations on trainers."""

    async def list_workers(_: Request) -> Response:
        """Every trainer process."""
        return success(WorkerList(workers=[_worker(keeper) for keeper in queue.trainers]))

    async def get_stats(_: Request) -> Response:
        """How many trainers there are, how many work, and how many runs wait for one."""
        workers = [_worker(keeper) for keeper in queue.trainers]
        return success(
            WorkerStats(
                total=len(workers),
                limit=queue.limit,
                busy=sum(worker.run_id is not None for worker in workers),
                idle=sum(worker.state == "idle" for worker in workers),
                restarts=sum(worker.restarts for worker in workers),
                waiting_runs=len(queue.waiting),
            )
        )

    async def get_worker(request: Request) -> Response:
        """One trainer process."""
        worker_id = request.path_params["worker_id"]
        for keeper in queue.trainers:
            if keeper.name == worker_id:
                return success(_worker(keeper))
        problem = f"there is no worker {worker_id}"
        raise NotFoundError(problem, (FieldProblem(loc=["worker_id"], msg=problem),))

    return [
        Operation(method="GET", path="/v1/workers", handler=list_workers, responses={200: Success[WorkerList]}),
        Operation(method="GET", path="/v1/workers/stats", handler=get_stats, responses={200: Success[WorkerStats]}),
        Operation(method="GET", path="/v1/workers/{worker_id}", handler=get_worker, responses={200: Success[Worker]}),
    ]


def _worker(keeper: TrainerKeeper) -> Worker:
    session = keeper.user if isinstance(keeper.user, Session) else None
    cpu_s, memory = _taken(keeper.pid)
    return Worker(
        id=keeper.name,
        state=_state(keeper, session),
        pid=keeper.pid,
        run_id=session.run_id if session else None,
        heard_s=keeper.silent_s,
        restarts=keeper.restarts,
        cpu_s=cpu_s,
        memory_bytes=memory,
    )


def _state(keeper: TrainerKeeper, session: Session | None) -> WorkerState:
    if not keeper.is_there:
        return "starting"
    if not keeper.is_warm:
        return "warming_up"
    if session is None:
        return "idle"
    return "training" if session.state.status == "STARTED" else "paused"


def _taken(pid: int | None) -> tuple[float | None, int | None]:
    if pid is None:
        return None, None
    try:
        process = psutil.Process(pid)
        times = process.cpu_times()
        return times.user + times.system, process.memory_info().rss
    except psutil.NoSuchProcess:
        return None, None
