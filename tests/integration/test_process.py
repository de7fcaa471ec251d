"""The training service as a process of its own: what outlives its death, what it loads."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil
import pytest

from juniper_cascor import snapshots
from juniper_cascor.client import JuniperCascorClient
from juniper_common.wire.training import InlineData, RunParameters, StartTraining
from juniper_data.generators.cmu_spirals import CmuSpiralsParameters, generate_cmu_spirals

TIMEOUT_S = 60


@contextmanager
def cascor(state_dir: Path) -> Iterator[tuple[psutil.Popen, JuniperCascorClient]]:
    """A training service that has said READY, and a client of it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        address = str(state_dir / "notify")
        notify.bind(address)
        notify.settimeout(TIMEOUT_S)
        environment = os.environ | {
            "JUNIPER_CASCOR_PORT": str(port),
            "JUNIPER_CASCOR_STATE_DIR": str(state_dir),
            "NOTIFY_SOCKET": address,
        }
        process = psutil.Popen([sys.executable, "-m", "juniper_cascor"], env=environment, stderr=subprocess.DEVNULL)
        try:
            while notify.recv(4096) != b"READY=1":
                pass
            with JuniperCascorClient(f"http://127.0.0.1:{port}") as client:
                yield process, client
        finally:
            process.terminate()
            process.wait(TIMEOUT_S)
            Path(address).unlink()


def paced_run() -> StartTraining:
    """The CMU spirals in the request, slowly."""
    points = generate_cmu_spirals(CmuSpiralsParameters(), np.random.default_rng(0))
    rows = InlineData(train_x=points.X.tolist(), train_y=points.labels.tolist())
    return StartTraining(inline_data=rows, params=RunParameters(seed=1, pace=2_000))


def test_a_killed_service_leaves_its_record_and_snapshots_and_no_trainer(tmp_path: Path) -> None:
    """After kill -9 in mid-run the next process knows the run, reads every snapshot, and trains."""
    with cascor(tmp_path) as (process, client):
        run_id = client.start(paced_run()).run_id
        while client.status().monitor.current_hidden_units < 3:
            time.sleep(0.01)
        (trainer,) = process.children()
        process.kill()
        assert psutil.wait_procs([trainer], TIMEOUT_S)[1] == []

    with cascor(tmp_path) as (_, client):
        record = client.run(run_id)
        assert (record.status, record.reason) == ("FAILED", "the service ended while the run was training")
        kept = [info for info in client.snapshots().snapshots if info.run_id == run_id]
        assert len(kept) >= 3
        for path in (tmp_path / "snapshots" / run_id).glob("*.h5"):
            assert snapshots.read(path).card.run_id == run_id
        client.start(paced_run())
        assert client.command("stop").status == "STOPPED"


def test_a_stopped_service_ends_its_run_in_good_order(tmp_path: Path) -> None:
    """SIGTERM stops the run, writes its last snapshot, and ends the trainer."""
    with cascor(tmp_path) as (process, client):
        run_id = client.start(paced_run()).run_id
        while client.status().monitor.current_epoch < 10:
            time.sleep(0.01)
        (trainer,) = process.children()
    assert not trainer.is_running()
    assert process.returncode == 0
    assert len(list((tmp_path / "snapshots" / run_id).glob("*.h5"))) >= 1
    with cascor(tmp_path) as (_, client):
        assert client.run(run_id).status == "STOPPED"


@pytest.mark.parametrize("library", ["torch", "cupy", "numba", "h5py"])
def test_the_service_process_loads_no_heavy_library(library: str) -> None:
    """Only the trainer does; h5py, when a snapshot is first read."""
    code = f"import sys, juniper_cascor.app; sys.exit({library!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
