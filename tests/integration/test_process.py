"""The training service as a process of its own: what it loads, how it ends, what it tells its manager."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from juniper_common.wire.training import RunParameters, StartTraining
from tests.integration.service_process import ServiceProcess, cmu_spirals, service


def paced_run() -> StartTraining:
    """The CMU spirals, slowly."""
    return StartTraining(inline_data=cmu_spirals(), params=RunParameters(seed=1, pace=500))


def test_a_stopped_service_ends_in_good_order_and_goes_on_the_next_time(tmp_path: Path) -> None:
    """SIGTERM keeps a checkpoint and ends the trainer; the next process takes the run up where it was."""
    first = ServiceProcess(tmp_path / "state")
    run_id = first.client.start(paced_run()).run_id
    while first.client.status().monitor.current_epoch < 100:
        time.sleep(0.01)
    (trainer,) = first.trainers()
    assert first.stop() == 0
    assert not trainer.is_running()
    with service(tmp_path / "state") as second:
        assert any(told.startswith("EXTEND_TIMEOUT_USEC=") for told in second.told)
        assert any(told.startswith(f"STATUS=restored run {run_id}") for told in second.told)
        status = second.client.status()
        assert (status.run_id, status.training_active) == (run_id, True)
        assert status.monitor.current_epoch >= 100
        second.client.command("stop")


def test_a_service_tells_its_manager_what_it_does(tmp_path: Path) -> None:
    """`systemctl status` shows the run."""
    with service(tmp_path / "state") as running:
        run_id = running.client.start(paced_run()).run_id
        running.hear(f"STATUS=run {run_id} STARTED at epoch")
        running.client.command("stop")
        running.hear("STATUS=ready, nothing trains")


@pytest.mark.parametrize("library", ["torch", "cupy", "numba", "h5py"])
def test_the_service_process_loads_no_heavy_library(library: str) -> None:
    """Only the trainer does; h5py, when a snapshot is first read."""
    code = f"import sys, juniper_cascor.app; sys.exit({library!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
