"""A run whose GPU gives up goes on from its newest checkpoint on the CPU, and says so."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from juniper_cascor.engine.cuda import device
from juniper_cascor.engine.cuda.device import Kernel, Launch
from juniper_cascor.engine.errors import DeviceError
from juniper_cascor.engine.parameters import Parameters
from juniper_cascor.runs import dataset_file, network_spec, snapshot_folder
from juniper_cascor.runs.channel import Message
from juniper_cascor.runs.dataset_file import TrainingData
from juniper_cascor.runs.job import Job
from juniper_cascor.runs.trainer import Trainer
from tests.unit.juniper_cascor.engine.cuda.shim_device import ShimDevice

from .fake_service import FakeService, served

RUN = "20260101-000000-00000000"
BUDGET = 60


class FailingDevice(ShimDevice):
    """Is lost after some launches."""

    launches_left = 6

    def launch(self, kernel: Kernel, launch: Launch, *arguments: Any) -> None:
        """Launch, while it is there."""
        FailingDevice.launches_left -= 1
        if FailingDevice.launches_left < 0:
            raise DeviceError("CUDA_ERROR_ECC_UNCORRECTABLE")
        super().launch(kernel, launch, *arguments)


class Port:
    """Tells a trainer one job, and keeps what it hears."""

    def __init__(self, job: Job) -> None:
        self._jobs = [job.message()]
        self.heard: list[Message] = []

    def receive(self, _: float | None) -> Message | None:
        """The job; later the service is gone."""
        if self._jobs:
            return self._jobs.pop()
        if self.heard and self.heard[-1].kind == "finished":
            raise KeyboardInterrupt
        return None

    def send(self, message: Message) -> None:
        """Keep it."""
        self.heard.append(message)


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """A run on the GPU, with a checkpoint after every second of the clock."""
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(40, 2)).astype(np.float32), rng.integers(0, 2, (40, 1)).astype(np.float32)
    parameters = Parameters(max_epochs=BUDGET, output_epochs=10, candidate_epochs=10, candidate_pool_size=3)
    return Job(
        run_id=RUN,
        data_folder=tmp_path,
        snapshot_folder=tmp_path / "snapshots",
        parameters=network_spec.as_json(parameters),
        seed=1,
        pace=None,
        dataset_id=None,
        dataset_checksum=dataset_file.write(tmp_path, TrainingData(x, y, None, None))[1],
        backend="cupy",
        versions={},
    )


def heard_of(job: Job, ending: type[BaseException]) -> list[Message]:
    """What a trainer says of a job until it ends."""
    port = Port(job)
    with pytest.raises(ending):
        Trainer(port).run()  # type: ignore[arg-type] # a port of its own
    return port.heard


def test_a_trainer_that_loses_its_gpu_ends(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says why and what trains next; from what it kept the run goes on to its end on the CPU."""
    monkeypatch.setattr(device, "CudaDevice", FailingDevice)
    last = heard_of(job, SystemExit)[-1]
    told = {"run_id": RUN, "reason": "CUDA_ERROR_ECC_UNCORRECTABLE", "backend": "numba-serial"}
    assert (last.kind, dict(last.fields)) == ("device_lost", told)

    newest = snapshot_folder.newest_path(job.snapshot_folder, RUN)
    assert newest is not None
    path, card = newest
    assert 0 < card.epoch < BUDGET
    again = job.model_copy(update={"backend": "numba-serial", "resume_from": path, "seen_epoch": card.epoch})
    heard = heard_of(again, KeyboardInterrupt)
    assert heard[-1].fields["outcome"] == "max_epochs"


def test_a_run_whose_gpu_is_lost_is_told_to_the_next_trainer(tmp_path: Path) -> None:
    """With the back end of the CPU, which is recorded; where the run stands says why."""

    async def use(service: FakeService) -> None:
        (session,) = await service.add(1)
        trainer = service.trainers.last
        trainer.say("device_lost", run_id="r1", reason="fell off the bus", backend="numba-parallel")
        trainer.die("the trainer ended with exit code 1")
        assert session.state.reason == "fell off the bus; so it goes on with numba-parallel"
        await service.trainers.make(2)
        service.trainers.last.say("ready")
        (told,) = service.trainers.last.told
        assert told.fields["backend"] == "numba-parallel"
        await service.recorder.flush()
        record = service.store.get("r1")
        assert record is not None
        assert record.backend == "numba-parallel"

    served(tmp_path, use)
