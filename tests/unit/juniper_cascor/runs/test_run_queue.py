"""Whose turn it is, and which trainer has it."""

import asyncio
from pathlib import Path

import pytest

from juniper_cascor.life import status_line
from juniper_cascor.runs.session import Session
from juniper_common.errors import ConflictError

from .fake_service import SPEC, FakeService, served
from .fake_trainers import until


def statuses(sessions: list[Session]) -> list[str]:
    """Where each run stands."""
    return [session.state.status for session in sessions]


def test_runs_begin_in_the_order_in_which_they_came(tmp_path: Path) -> None:
    """Each when the one before it is over, on the same trainer."""

    async def use(service: FakeService) -> None:
        sessions = await service.add(1, 2, 3)
        trainer = service.trainers.last
        assert statuses(sessions) == ["STARTED", "QUEUED", "QUEUED"]
        trainer.say("finished", run_id="r1", outcome="solved")
        trainer.say("failed", run_id="r2", reason="out of memory")
        assert statuses(sessions) == ["COMPLETED", "FAILED", "STARTED"]
        assert service.told(trainer) == [("train", "r1"), ("train", "r2"), ("train", "r3")]
        assert service.begun == ["r1", "r2", "r3"]

    served(tmp_path, use)


def test_as_many_train_side_by_side_as_may(tmp_path: Path) -> None:
    """A further trainer is started when it is needed, and its run waits for it to be warm."""

    async def use(service: FakeService) -> None:
        sessions = await service.add(1, 2, 3)
        assert statuses(sessions) == ["STARTED", "STARTED", "QUEUED"]
        await service.trainers.make(2)
        first, second = service.trainers.made
        assert service.told(second) == []
        second.say("ready")
        assert (service.told(first), service.told(second)) == ([("train", "r1")], [("train", "r2")])
        second.say("finished", run_id="r2", outcome="solved")
        assert service.told(second)[1:] == [("train", "r3")]

    served(tmp_path, use, limit=2)


def test_a_run_that_waits_leaves_the_queue_when_it_is_stopped(tmp_path: Path) -> None:
    """The others keep their order."""

    async def use(service: FakeService) -> None:
        sessions = await service.add(1, 2, 3)
        await sessions[1].command("stop")
        assert [session.run_id for session in service.queue.waiting] == ["r3"]
        service.trainers.last.say("finished", run_id="r1", outcome="solved")
        assert statuses(sessions) == ["COMPLETED", "STOPPED", "STARTED"]

    served(tmp_path, use)


def test_whether_a_run_that_came_now_would_wait(tmp_path: Path) -> None:
    """Then what to do instead is said."""

    async def use(service: FakeService) -> None:
        service.queue.check_free()
        await service.add(1, 2)
        with pytest.raises(ConflictError, match="1 runs train and 1 wait; POST /v1/runs queues another one"):
            service.queue.check_free()

    served(tmp_path, use)


def test_a_stop_before_the_trainer_has_read_the_data_is_answered_at_once(tmp_path: Path) -> None:
    """The next run is told, after the stop, to the same trainer; what that says late changes nothing."""

    async def use(service: FakeService) -> None:
        first, second = await service.add(1, 2)
        trainer = service.trainers.last
        await first.command("stop")
        assert statuses([first, second]) == ["STOPPED", "STARTED"]
        assert service.told(trainer) == [("train", "r1"), ("stop", "r1"), ("train", "r2")]
        trainer.obey(trainer.told[1], epoch=0)
        assert statuses([first, second]) == ["STOPPED", "STARTED"]

    served(tmp_path, use)


def test_what_a_paused_run_is_told_before_it_began_is_not_told_twice(tmp_path: Path) -> None:
    """Its trainer dies over the data: the next one begins it paused, as the last word was."""

    async def use(service: FakeService) -> None:
        (session,) = await service.add(1)
        for command in ("pause", "resume", "pause"):
            await session.command(command)
        service.trainers.last.die("the trainer died of SIGSEGV")
        await service.trainers.make(2)
        service.trainers.last.say("ready")
        (job,) = service.trainers.last.told
        assert job.fields["is_paused"] is True
        assert session.state.status == "PAUSED"

    served(tmp_path, use)


def test_a_second_trainer_that_cannot_be_started_is_tried_again(tmp_path: Path) -> None:
    """Its run does not wait for good."""

    async def use(service: FakeService) -> None:
        service.trainers.failures = 1
        await service.add(1, 2)
        await service.trainers.make(2)
        service.trainers.last.say("ready")
        assert service.told(service.trainers.last) == [("train", "r2")]

    served(tmp_path, use, limit=2)


def test_a_snapshot_of_a_run_that_has_just_ended(tmp_path: Path) -> None:
    """The trainer knows nothing of it any more: a conflict, not an error of the service."""

    async def use(service: FakeService) -> None:
        (session,) = await service.add(1)
        trainer = service.trainers.last
        trainer.report("r1", 1, SPEC.untrained())
        taking = asyncio.create_task(session.take_snapshot())
        await until(lambda: len(trainer.told) == 2)
        trainer.say("finished", run_id="r1", outcome="solved")
        trainer.obey(trainer.told[1])
        with pytest.raises(ConflictError, match="cannot take a snapshot: the run has just ended as COMPLETED"):
            await taking

    served(tmp_path, use)


def test_what_the_service_does_in_one_line(tmp_path: Path) -> None:
    """For the service manager: which runs train, how far they are, and how many wait."""

    async def use(service: FakeService) -> None:
        assert status_line(service.queue) == "ready, nothing trains"
        await service.add(1, 2)
        service.trainers.last.report("r1", 7, SPEC.untrained())
        assert status_line(service.queue) == "run r1 STARTED at epoch 7; 1 runs wait"
        service.trainers.last.say("finished", run_id="r1", outcome="solved")
        assert status_line(service.queue) == "run r2 STARTED at epoch 0"
        service.trainers.last.say("finished", run_id="r2", outcome="solved")

    served(tmp_path, use)
