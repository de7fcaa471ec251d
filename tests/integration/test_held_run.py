"""A run that was interrupted and held, some of whose files were spoilt meanwhile."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from juniper_cascor.runs import snapshot_folder
from juniper_common.wire.training import RunParameters, StartTraining
from tests.integration.growth import answered, refused
from tests.integration.service_process import ServiceProcess, cmu_spirals, service


def spoil(run: Path) -> None:
    """Put pipes and links in place of the run's newest files."""
    (run / snapshot_folder.CHECKPOINT).unlink(missing_ok=True)
    for name in (snapshot_folder.CHECKPOINT, "00099-000099999.h5"):
        os.mkfifo(run / name)
    (run / "00098-000099998.h5").symlink_to("/dev/zero")


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A service with such a run in the foreground: its start does not wait for what nobody writes into a pipe."""
    state = tmp_path_factory.mktemp("held") / "state"
    first = ServiceProcess(state)
    params = RunParameters(seed=1, pace=1_000)
    run_id = first.client.start(StartTraining(inline_data=cmu_spirals(), params=params, on_restart="hold")).run_id
    while first.client.status().monitor.current_hidden_units < 2:
        time.sleep(0.02)
    first.kill()
    spoil(state / "snapshots" / run_id)
    with service(state) as running, httpx.Client(base_url=f"http://127.0.0.1:{running.port}/v1", timeout=30) as http:
        yield http


def test_its_network_is_not_edited(held: httpx.Client) -> None:
    """The trainer would go on with another one than is shown."""
    response = held.patch("/network/weights", json={"output_bias": [0]})
    assert "can be resumed; stop it first" in refused(response, 409)


def test_its_parameters_are_not_said_to_change(held: httpx.Client) -> None:
    """Nobody would tell the trainer."""
    response = held.patch("/training/params", json={"max_hidden_units": 3})
    assert "training is RESUME_READY" in refused(response, 409)
    assert answered(held.get("/training/params"))["params"]["max_hidden_units"] != 3


def test_it_is_resumed_by_its_id_where_something_else_is_shown(held: httpx.Client) -> None:
    """From the newest of its snapshots that reads well."""
    status = answered(held.get("/training/status"))
    run_id, epoch = status["run_id"], status["monitor"]["current_epoch"]
    answered(held.post("/training/reset"))
    assert answered(held.get("/training/status"))["run_id"] is None
    assert answered(held.post(f"/runs/{run_id}/resume"))["run_id"] == run_id
    while answered(held.get(f"/training/status?run={run_id}"))["monitor"]["current_epoch"] <= epoch:
        time.sleep(0.02)
    answered(held.post(f"/runs/{run_id}/stop"))
