"""A run that trained on a GPU, on a host that has none any more."""

import sqlite3
import time
from pathlib import Path

import pytest

from juniper_cascor.engine import backends
from juniper_common.wire.training import RunParameters, StartTraining
from tests.integration.service_process import ServiceProcess, cmu_spirals, service


def test_it_goes_on_on_the_cpu(tmp_path: Path) -> None:
    """From its checkpoint to its end, by itself; its record says what trained it, and why."""
    if "cupy" in backends.usable_on_gpu():
        pytest.skip("this host has a GPU")
    state = tmp_path / "state"
    first = ServiceProcess(state)
    params = RunParameters(seed=1, pace=2_000)
    run_id = first.client.start(StartTraining(inline_data=cmu_spirals(), params=params)).run_id
    while first.client.status().monitor.current_hidden_units < 2:
        time.sleep(0.02)
    first.kill()
    with sqlite3.connect(state / "runs.sqlite3") as store:
        assert store.execute("UPDATE runs SET backend = 'cupy' WHERE id = ?", (run_id,)).rowcount == 1
    store.close()
    with service(state) as running:
        while (run := running.client.run(run_id)).status not in ("COMPLETED", "FAILED"):
            time.sleep(0.05)
        assert (run.status, run.outcome, run.backend) == ("COMPLETED", "solved", "numba-serial")
        reasons = [change.reason for change in running.client.run(run_id).state_changes]
        assert any("there is no NVIDIA GPU" in (reason or "") for reason in reasons)
