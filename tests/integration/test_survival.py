"""What ends a trainer, a service or a disk does not end a run."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from juniper_common.wire.runs import StartRuns
from juniper_common.wire.training import InlineData, RunParameters, StartTraining, TrainingStatus
from tests.integration.conftest import Cascor
from tests.integration.service_killing import training
from tests.integration.service_process import TIMEOUT_S, ServiceProcess, cmu_spirals, service
from tests.small_disk import small_disk


def paced(pace: float | None = 500, **fields: object) -> StartTraining:
    """The CMU spirals, so slowly that something can happen meanwhile."""
    request = StartTraining(inline_data=cmu_spirals(), params=RunParameters(seed=1, pace=pace))
    return request.model_copy(update=fields)


def eventually(is_so: Callable[[], bool], what: str) -> None:
    """Return when something is so."""
    deadline = time.monotonic() + TIMEOUT_S
    while not is_so():
        assert time.monotonic() < deadline, f"not within {TIMEOUT_S} s: {what}"
        time.sleep(0.02)


def wait_for_epoch(running: ServiceProcess, epoch: int) -> TrainingStatus:
    """Return when so many epochs were trained."""
    eventually(lambda: running.client.status().monitor.current_epoch >= epoch, f"epoch {epoch}")
    return running.client.status()


def kill_trainers(running: ServiceProcess) -> None:
    """Kill them; return when they are gone."""
    eventually(lambda: bool(running.trainers()), "there is a trainer")
    for trainer in running.trainers():
        trainer.kill()
        trainer.wait(TIMEOUT_S)


def test_a_killed_trainer_does_not_end_the_run(cascor: Cascor) -> None:
    """Another one goes on from the last checkpoint, and the end is that of a run that nothing broke."""
    topologies = []
    for is_broken in (False, True):
        cascor.start(seed=1, pace=2_000)
        if is_broken:
            cascor.wait_for_epoch(700)
            psutil.Process(cascor.service.life.queue.trainers[0].pid).kill()
        status = cascor.wait()
        assert (status.training_state.outcome, status.training_state.reason) == ("solved", None)
        topologies.append(cascor.http.get("/v1/network/topology").json()["data"])
        history = cascor.http.get("/v1/metrics/history?count=10000").json()["data"]
        assert [row["epoch"] for row in history] == list(range(1, status.monitor.current_epoch + 1))
    assert topologies[0] == topologies[1]


def test_a_run_that_kills_every_trainer_fails(tmp_path: Path) -> None:
    """After the fourth death at one place the run is given up, with the reason, and the service trains on."""
    with service(tmp_path / "state") as running:
        run_id = running.client.start(paced(pace=1e-3)).run_id
        deaths = 0
        while running.client.status().training_active:
            if trainers := running.trainers():
                deaths += 1
                trainers[0].kill()
                trainers[0].wait(TIMEOUT_S)
            time.sleep(0.02)
        assert deaths >= 4
        record = running.client.run(run_id)
        assert record.status == "FAILED"
        assert (record.reason or "").startswith("the trainer was killed (SIGKILL); so it went 4 times")
        running.client.start(paced(pace=None, start_fresh=True))
        eventually(lambda: running.client.status().training_state.outcome == "solved", "the next run is solved")


def test_a_hung_trainer_is_killed_and_its_run_goes_on(tmp_path: Path) -> None:
    """A trainer that is stopped from outside is noticed by its silence."""
    with service(tmp_path / "state", {"JUNIPER_CASCOR_TRAINER_DEADLINE_S": "3"}) as running:
        running.client.start(paced())
        epoch = wait_for_epoch(running, 50).monitor.current_epoch
        (trainer,) = running.trainers()
        trainer.suspend()
        wait_for_epoch(running, epoch + 100)
        assert not trainer.is_running()
        running.client.command("stop")


def test_a_trainer_that_hung_before_the_run_is_killed_too(tmp_path: Path) -> None:
    """Reading the data takes it as long as the data is large, not for ever."""
    with service(tmp_path / "state", {"JUNIPER_CASCOR_TRAINER_DEADLINE_S": "3"}) as running:
        eventually(lambda: running.client.worker("trainer-1").state == "idle", "the trainer is warm")
        (trainer,) = running.trainers()
        trainer.suspend()
        running.client.start(paced())
        wait_for_epoch(running, 10)
        assert not trainer.is_running()
        running.client.command("stop")


def test_a_stop_holds_though_the_trainer_does_not_obey(tmp_path: Path) -> None:
    """It is killed for that, and its run is over."""
    with service(tmp_path / "state") as running:
        run_id = running.client.start(paced()).run_id
        wait_for_epoch(running, 10)
        running.trainers()[0].suspend()
        assert running.client.command("stop").status == "STOPPED"
        eventually(lambda: running.client.worker("trainer-1").state == "idle", "another trainer waits")
        assert running.client.run(run_id).status == "STOPPED"


def test_a_run_that_runs_out_of_memory_fails_with_the_reason(tmp_path: Path) -> None:
    """The service and even the trainer live on, and train the next run."""
    with service(tmp_path / "state", {"JUNIPER_CASCOR_MAX_BODY_BYTES": "50000000"}) as running:
        running.client.start(paced(pace=None))
        eventually(lambda: running.client.status().training_state.outcome == "solved", "all is loaded")
        (trainer,) = running.trainers()
        trainer.rlimit(psutil.RLIMIT_AS, (trainer.memory_info().vms + (4 << 20), psutil.RLIM_INFINITY))
        wide = InlineData(train_x=[[i % 7] * 60 for i in range(100_000)], train_y=[i % 2 for i in range(100_000)])
        run_id = running.client.start(StartTraining(inline_data=wide, start_fresh=True)).run_id
        eventually(lambda: running.client.run(run_id).ended_at is not None, "the run ends")
        record = running.client.run(run_id)
        assert (record.status, record.reason) == ("FAILED", "out of memory")
        trainer.rlimit(psutil.RLIMIT_AS, (psutil.RLIM_INFINITY, psutil.RLIM_INFINITY))
        running.client.start(paced(pace=None, start_fresh=True))
        eventually(lambda: running.client.status().training_state.outcome == "solved", "the next run is solved")
        assert running.trainers() == [trainer]


def test_a_held_run_waits_for_a_resume(tmp_path: Path) -> None:
    """With on_restart=hold an interrupted run is RESUME_READY, and says why."""
    first = ServiceProcess(tmp_path / "state")
    run_id = first.client.start(paced(on_restart="hold")).run_id
    wait_for_epoch(first, 300)
    first.kill()
    with service(tmp_path / "state") as running:
        status = running.client.status()
        assert (status.run_id, status.state_machine.status) == (run_id, "RESUME_READY")
        assert status.training_state.reason == "the service ended while it trained"
        epoch = status.monitor.current_epoch
        assert running.client.command("resume").run_id == run_id
        wait_for_epoch(running, epoch + 10)
        running.client.command("stop")


def test_a_paused_run_is_paused_after_a_kill(tmp_path: Path) -> None:
    """It has lost nothing, and goes on when it is told to."""
    first = ServiceProcess(tmp_path / "state")
    first.client.start(paced())
    wait_for_epoch(first, 100)
    first.client.command("pause")
    epoch = first.client.status().monitor.current_epoch
    first.kill()
    with service(tmp_path / "state") as running:
        eventually(lambda: running.client.status().state_machine.status == "PAUSED", "the run is there, paused")
        assert running.client.status().monitor.current_epoch == epoch
        running.client.command("resume")
        wait_for_epoch(running, epoch + 10)
        running.client.command("stop")


def test_queued_runs_outlive_a_kill(tmp_path: Path) -> None:
    """They are trained in their order, after the one that was interrupted."""
    first = ServiceProcess(tmp_path / "state")
    first.client.start(paced())
    request = StartRuns(inline_data=cmu_spirals(), params=RunParameters(max_hidden_units=1), seeds=[1, 2])
    queued = [run.id for run in first.client.post_runs(request).runs]
    wait_for_epoch(first, 10)
    first.kill()
    with service(tmp_path / "state") as running:
        running.client.command("stop")
        eventually(lambda: all(running.client.run(run).status == "COMPLETED" for run in queued), "both are trained")
        begun = [running.client.run(run).started_at or 0 for run in queued]
        assert begun == sorted(begun)


@pytest.fixture
def on_a_small_disk(tmp_path: Path) -> Iterator[ServiceProcess]:
    """A service whose state is on a file system of its own, with room for a few snapshots."""
    state = tmp_path / "state"
    with service(state, wrapper=small_disk(state, "2m")) as running:
        yield running


def test_a_full_disk_pauses_the_run_until_there_is_room(on_a_small_disk: ServiceProcess) -> None:
    """It says so, every snapshot stays whole, and it goes on by itself."""
    running = on_a_small_disk
    disk = Path(f"/proc/{running.process.pid}/root{running.state_dir}")
    running.client.start(training(400, 64))
    eventually(lambda: running.client.status().state_machine.status == "PAUSED", "the disk is full")
    status = running.client.status()
    assert "No space left on device" in (status.training_state.reason or "")
    assert status.run_id is not None
    kept = sorted((disk / "snapshots" / status.run_id).glob("*.h5"))
    assert kept
    assert all(info.state == "whole" for info in running.client.snapshots().snapshots)
    for path in kept[:-1]:
        path.unlink()
    eventually(lambda: running.client.status().monitor.current_epoch > status.monitor.current_epoch, "it goes on")
