"""What the fake service answers about trainings and what they train on: the models and checks of the real one."""

from juniper_cascor.testing.answers.asked import Answers, Asked, commanding, started
from juniper_cascor.testing.fake_foreground import FakeForeground
from juniper_cascor.testing.fake_run import FakeRun
from juniper_cascor.testing.fake_service import FakeCascorService
from juniper_common.errors import NotFoundError
from juniper_common.wire.training import (
    ChangeParameters,
    Commanded,
    RunParametersAnswer,
    StartTraining,
    SwapDataset,
    TrainingStarted,
    TrainingStatus,
)


def _start(service: FakeCascorService, asked: Asked) -> TrainingStarted:
    return started(service.start(asked.read(StartTraining)))


def _reset(service: FakeCascorService, _: Asked) -> Commanded:
    service.foreground.reset()
    return Commanded(status="STOPPED", timestamp=service.clock(), run_id=None)


def _change(service: FakeCascorService, asked: Asked) -> RunParametersAnswer:
    watched = service.watched(asked.run)
    watched.change(asked.read(ChangeParameters))
    return _parameters(watched)


def _parameters(watched: FakeForeground | FakeRun) -> RunParametersAnswer:
    status = watched.status()
    if not status.params:
        raise NotFoundError("no network is loaded: create one, or start training")
    return RunParametersAnswer(params=status.params, seed=status.seed, pace=status.pace)


def _swap(service: FakeCascorService, asked: Asked) -> TrainingStatus:
    service.swap(asked.read(SwapDataset), asked.run)
    return service.watched(asked.run).status()


ANSWERS: Answers = {
    ("POST", "/v1/training/start"): (200, _start),
    ("POST", "/v1/training/stop"): (200, commanding("stop")),
    ("POST", "/v1/training/pause"): (200, commanding("pause")),
    ("POST", "/v1/training/resume"): (200, commanding("resume")),
    ("POST", "/v1/training/reset"): (200, _reset),
    ("GET", "/v1/training/status"): (200, lambda service, asked: service.watched(asked.run).status()),
    ("GET", "/v1/training/params"): (200, lambda service, asked: _parameters(service.watched(asked.run))),
    ("PATCH", "/v1/training/params"): (200, _change),
    ("PUT", "/v1/dataset"): (200, _swap),
}
