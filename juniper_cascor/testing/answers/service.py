"""What the fake service answers about health, host, logs and workers: the models and checks of the real one."""

from datetime import UTC, datetime

from juniper_cascor.testing import recording
from juniper_cascor.testing.answers.asked import Answers, Asked
from juniper_cascor.testing.fake_service import FakeCascorService
from juniper_common.errors import NotFoundError
from juniper_common.wire.health import Health, Liveness, Readiness
from juniper_common.wire.host import HostReport, LogPage, LogQuery
from juniper_common.wire.workers import Worker, WorkerList, WorkerStats


def _readiness(service: FakeCascorService, _: Asked) -> Readiness:
    details = {
        "network_loaded": service.foreground.stage.has_network,
        "training_state": service.foreground.stage.status,
        "trainer_warm": True,
    }
    return Readiness(
        status="ready", service="juniper-cascor", timestamp=datetime.now(UTC), dependencies={}, details={**details}
    )


def _host(_: FakeCascorService, __: Asked) -> HostReport:
    return recording.load("xor").host


def _logs(_: FakeCascorService, asked: Asked) -> LogPage:
    asked.ask(LogQuery)
    return LogPage(records=[], next_since=0, missed=0)


def _workers(service: FakeCascorService, _: Asked) -> WorkerList:
    return WorkerList(workers=[_trainer(service)])


def _worker(service: FakeCascorService, asked: Asked) -> Worker:
    if asked["worker_id"] != (found := _trainer(service)).id:
        raise NotFoundError(f"there is no worker {asked['worker_id']}")
    return found


def _worker_stats(service: FakeCascorService, _: Asked) -> WorkerStats:
    is_busy = _trainer(service).run_id is not None
    return WorkerStats(
        total=1, limit=1, busy=int(is_busy), idle=int(not is_busy), restarts=0, waiting_runs=len(service.runs.waiting)
    )


def _trainer(service: FakeCascorService) -> Worker:
    busy = service.runs.active
    state = "idle" if busy is None else "training" if busy.state.status == "STARTED" else "paused"
    update = {"state": state, "run_id": busy.run_id if busy else None}
    return recording.load("xor").worker.model_copy(update=update)


ANSWERS: Answers = {
    ("GET", "/v1/health"): (200, lambda _, __: Health()),
    ("GET", "/v1/health/live"): (200, lambda _, __: Liveness()),
    ("GET", "/v1/health/ready"): (200, _readiness),
    ("GET", "/v1/host"): (200, _host),
    ("GET", "/v1/logs"): (200, _logs),
    ("GET", "/v1/workers"): (200, _workers),
    ("GET", "/v1/workers/stats"): (200, _worker_stats),
    ("GET", "/v1/workers/{worker_id}"): (200, _worker),
}
