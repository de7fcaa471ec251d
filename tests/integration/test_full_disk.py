"""A full disk: what is asked for is refused, nothing is half there, and what trains goes on when there is room."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import JsonValue

from juniper_common.http import Call, ConflictError, ServerError
from juniper_common.wire.runs import StartRuns
from juniper_common.wire.training import InlineData, RunParameters, StartTraining
from tests.integration.service_process import ServiceProcess, cmu_spirals, service
from tests.integration.test_survival import eventually, paced, wait_for_epoch
from tests.small_disk import small_disk

ROWS = InlineData(train_x=[[n / 7, 1 - n] for n in range(2_000)], train_y=[n % 2 for n in range(2_000)])


@pytest.fixture
def small(tmp_path: Path) -> Iterator[ServiceProcess]:
    """A service whose state is on a file system of its own, with room for little."""
    state = tmp_path / "state"
    with service(state, wrapper=small_disk(state, "16m")) as running:
        yield running


def disk_of(running: ServiceProcess) -> Path:
    """Its state, as seen from here."""
    return Path(f"/proc/{running.process.pid}/root{running.state_dir}")


def fill(disk: Path) -> Path:
    """Leave no room; the file that takes it."""
    filler = disk / "filler"
    with pytest.raises(OSError, match="No space left"), filler.open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)
    return filler


def refused(running: ServiceProcess, path: str, body: dict[str, JsonValue]) -> str:
    """The message of a call that is answered with 503."""
    with pytest.raises(ServerError) as refused:
        running.client.send(Call(method="POST", path=path, json=body))
    assert refused.value.status == 503
    return refused.value.message


def test_what_the_disk_does_not_take_is_not_begun(small: ServiceProcess) -> None:
    """No run is recorded, no snapshot is left over, and all can be asked for again when there is room."""
    small.client.start(StartTraining(inline_data=cmu_spirals(), params=RunParameters(seed=1, max_hidden_units=2)))
    eventually(lambda: not small.client.status().training_active, "the first run ends")
    before = small.client.runs()
    snapshot = small.client.snapshots().snapshots[0]
    disk = disk_of(small)
    folders = sorted(path.name for path in (disk / "snapshots").iterdir())
    filler = fill(disk)
    rows: JsonValue = ROWS.model_dump(mode="json")
    assert "No space left" in refused(small, "/v1/training/start", {"inline_data": rows, "start_fresh": True})
    assert "No space left" in refused(small, "/v1/runs", {"inline_data": rows, "seeds": [1, 2]})
    assert "No space left" in refused(small, f"/v1/snapshots/{snapshot.id}/retrain", {"inline_data": None})
    assert small.client.runs() == before
    assert sorted(path.name for path in (disk / "snapshots").iterdir()) == folders
    assert small.client.status().run_id == before.runs[0].id
    filler.unlink()
    assert len(small.client.post_runs(StartRuns(inline_data=ROWS, seeds=[1, 2], epochs=5)).runs) == 2
    eventually(lambda: {run.status for run in small.client.runs().runs} == {"COMPLETED"}, "they are trained")


def test_records_catch_up_with_a_run_that_the_disk_held_up(small: ServiceProcess) -> None:
    """It says why it waits though that cannot be recorded; in the end no epoch and no state is missing."""
    run_id = small.client.start(paced(pace=1_000, epochs=1_500)).run_id
    wait_for_epoch(small, 100)
    filler = fill(disk_of(small))
    eventually(lambda: small.client.status().state_machine.status == "PAUSED", "it waits for the disk")
    assert "No space left on device" in (small.client.status().training_state.reason or "")
    with pytest.raises(ConflictError, match="No space left"):
        small.client.command("resume")
    filler.unlink()
    eventually(lambda: not small.client.status().training_active, "it goes on to its end")
    record = small.client.run(run_id)
    assert [change.status for change in record.state_changes] == ["QUEUED", "STARTED", "PAUSED", "STARTED", "COMPLETED"]
    assert record.state_changes[-3].time < record.state_changes[-2].time
    losses = small.client.run_metrics(run_id).series["train_loss"]
    assert losses.step == list(range(1, record.epochs + 1))
