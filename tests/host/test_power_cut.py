"""What a host that goes down in the middle of a training is like when it is up again."""

import json
import time

import pytest
from testinfra.host import Host

from tests.host import datasets, training
from tests.host.booted_host import BootedHost
from tests.host.conftest import JUNIPER_CTL
from tests.host.run_store import run_store
from tests.host.user_units import eventually

pytestmark = [pytest.mark.host, pytest.mark.timeout(900)]

SAFE_AFTER_S = 1.0
POINTS = """
import json, sqlite3, sys
store = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)
rows = store.execute("SELECT n.name, p.step, p.value FROM metric_points p JOIN metric_names n ON n.number = p.name")
print(json.dumps(rows.fetchall()))
"""


def test_what_was_there_a_second_before_a_power_cut_is_there_after_it(machine: BootedHost, running: Host) -> None:
    """A finished dataset, each snapshot and each metric point; and the training goes on where its checkpoint was."""
    training.start(running, pace=100)
    eventually(lambda: training.got(running, "/v1/metrics")["hidden_units"] >= 2, "two units are installed")
    dataset, checksum = datasets.make(running, seed=7)
    run = training.status(running).run_id
    snapshots = training.got(running, f"/v1/snapshots?run_id={run}&limit=500")["snapshots"]
    series = training.got(running, f"/v1/runs/{run}/metrics")["series"]
    epoch = training.status(running).monitor.current_epoch
    time.sleep(SAFE_AFTER_S)

    machine.cut_power()
    machine.boot()
    machine.wait_for_user()
    # Before a service runs, and could make good what is missing.
    store = run_store(running)
    kept = {
        (name, step): value for name, step, value in json.loads(running.check_output("python3 -c %s %s", POINTS, store))
    }
    for name, points in series.items():
        for step, value in zip(points["step"], points["value"], strict=True):
            assert kept[name, step] == value
    assert max(step for _, step in kept) >= epoch - 1

    assert running.run(f"{JUNIPER_CTL} start").rc == 0
    assert datasets.checksum(running, dataset) == checksum
    assert snapshots
    for snapshot in snapshots:
        assert training.got(running, f"/v1/snapshots/{snapshot['id']}")["state"] == "whole"
    after = training.status(running)
    assert (after.run_id, after.training_active) == (run, True)
    eventually(lambda: training.status(running).monitor.current_epoch > epoch, "it goes on")
    training.stop(running)
