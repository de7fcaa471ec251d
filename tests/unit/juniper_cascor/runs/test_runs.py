"""Runs that an earlier process left, and runs that cannot be recorded."""

import asyncio
from pathlib import Path
from typing import cast

import pytest

from juniper_cascor.runs.datasets import Datasets
from juniper_cascor.runs.fanout import Fanout
from juniper_cascor.runs.foreground import Foreground
from juniper_cascor.runs.runs import NewRun
from juniper_cascor.runs.session import Session
from juniper_cascor.runs.stage import Stage
from juniper_cascor.runs.store import StoreError
from juniper_common.errors import ConflictError, NotFoundError, UnavailableError
from juniper_common.wire.runs import RunChange
from juniper_common.wire.training import ChangeParameters
from tests.unit.juniper_cascor.snapshot_data import SNAPSHOT

from .fake_service import SPEC, FakeService, queued


def recovered(service: FakeService) -> list[Session]:
    """What is taken up."""

    async def go() -> list[Session]:
        sessions = [session async for session in service.runs.recover()]
        await service.recorder.flush()
        return sessions

    return asyncio.run(go())


@pytest.fixture
def service(tmp_path: Path) -> FakeService:
    """A service that has not begun to work."""
    return FakeService(tmp_path)


def test_what_trained_goes_before_what_waited(service: FakeService) -> None:
    """And among those, what came first."""
    left = [queued(1), queued(2).model_copy(update={"status": "PAUSED"}), queued(3), queued(4)]
    service.store.add([*left, queued(5).model_copy(update={"status": "COMPLETED"})])
    recovered(service)
    assert [session.run_id for session in service.queue.waiting] == ["r2", "r1", "r3", "r4"]
    assert service.queue.waiting[0].state.is_held


def test_a_run_of_a_version_with_other_parameters_does_not_stop_the_service(service: FakeService) -> None:
    """It is over, and says why; the others are taken up."""
    foreign = queued(1).model_copy(update={"status": "STARTED", "params": {"flux": 3}})
    service.store.add([foreign, queued(2)])
    assert [session.run_id for session in recovered(service)] == ["r2"]
    record = service.store.get("r1")
    assert record is not None
    assert (record.status, record.reason) == (
        "FAILED",
        "run r1 was made with parameters unknown here: Parameters.__init__() got an unexpected keyword argument 'flux'",
    )
    with pytest.raises(ConflictError, match="parameters unknown here"):
        asyncio.run(service.runs.find("r1"))


def test_a_run_whose_record_is_damaged_does_not_stop_the_service(service: FakeService) -> None:
    """It is over, and says why; it can be found and deleted, and the others are taken up."""
    service.store.add([queued(1), queued(2)])
    with service.store._file.writing() as connection:
        connection.execute("UPDATE runs SET params = '{broken' WHERE id = 'r1'")
    assert [session.run_id for session in recovered(service)] == ["r2"]
    session = asyncio.run(service.runs.delete("r1"))
    assert (session.state.status, session.state.reason) == ("FAILED", "its record is damaged: params cannot be read")
    assert service.store.get("r1") is None


def test_what_comes_again_after_a_kill_is_known_from_the_record(service: FakeService) -> None:
    """As far as metrics and changes go, whatever the last checkpoint has."""
    service.store.add([queued(1), queued(2)])
    service.store.add_metrics("r1", [("train_loss", 70, 0.5, 1.0)])
    service.store.add_metrics("r2", [("train_loss", 70, 0.5, 1.0)])
    service.store.add_change("r2", RunChange(epoch=90, time=1.0, params={"patience": 3}))
    jobs = [session.job() for session in recovered(service)]
    assert [(job.seen_epoch, job.recorded_epoch) for job in jobs] == [(0, 70), (0, 90)]


def test_what_is_taken_up_has_its_data_fetched(service: FakeService) -> None:
    """All that it was ever trained on: its newest snapshot may be of before a swap."""
    service.store.add([queued(1, dataset_id="d1")])
    service.store.add_change("r1", RunChange(epoch=9, time=1.0, dataset_id="d2", dataset_checksum="22"))
    recovered(service)
    assert service.fetched == [("d1", "00"), ("d2", "22")]


@pytest.mark.parametrize(
    ("problem", "status"),
    [(UnavailableError("the data service is away"), "RESUME_READY"), (NotFoundError("it is gone"), "QUEUED")],
)
def test_a_run_whose_data_is_lost_for_now_waits(service: FakeService, problem: Exception, status: str) -> None:
    """One whose data is nowhere goes on: its trainer says whether it needs it."""
    service.data_problem = problem
    service.store.add([queued(1)])
    (session,) = recovered(service)
    assert session.state.status == status


def test_what_cannot_be_recorded_leaves_nothing(service: FakeService, tmp_path: Path) -> None:
    """Neither a run that waits nor the snapshot that it was to begin with."""
    service.store.close()
    with pytest.raises(StoreError):
        asyncio.run(service.runs.add([NewRun(queued(1), SPEC, SNAPSHOT)]))
    assert service.queue.waiting == ()
    assert list((tmp_path / "snapshots").iterdir()) == []


def test_a_new_run_is_recorded_with_what_is_to_be_changed_in_it(service: FakeService) -> None:
    """In one go: a kill leaves both or neither."""
    change = RunChange(epoch=3, time=1.0, params={"patience": 4})
    asyncio.run(service.runs.add([NewRun(queued(1), SPEC, changes=(change,))]))
    assert service.store.changes("r1") == [change]


def test_a_run_that_is_held_is_not_changed(service: FakeService) -> None:
    """In the foreground too: to answer well and change nothing would mislead."""
    service.store.add([queued(1).model_copy(update={"status": "RESUME_READY"})])
    (session,) = recovered(service)
    stage = Stage()
    stage.offer(session)
    foreground = Foreground(stage, service.runs, cast(Datasets, None), Fanout(), "resume")
    with pytest.raises(ConflictError, match="training is RESUME_READY"):
        asyncio.run(foreground.change(ChangeParameters(patience=5)))


def test_a_run_whose_network_is_not_known_yet_says_so(service: FakeService) -> None:
    """Its status, as what is asked about its network."""
    service.store.add([queued(1)])
    (session,) = recovered(service)
    assert not session.status().network_loaded
    with pytest.raises(NotFoundError, match="has no network yet"):
        session.loaded_network()
