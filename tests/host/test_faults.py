"""Faults that heal by themselves: loops that hang, trainers that hang, crashes without end, memory without end."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from testinfra.host import Host

from tests.host import training
from tests.host.conftest import JUNIPER_CTL
from tests.host.user_units import eventually, is_running, kill_until_settled, number, value

pytestmark = [pytest.mark.host, pytest.mark.timeout(900)]

CASCOR, DATA = "juniper-cascor.service", "juniper-data.service"


@contextmanager
def drop_in(host: Host, unit: str, *lines: str) -> Iterator[None]:
    """The unit with these lines in its [Service] section, restarted; without them again at the end."""
    folder = f".config/systemd/user/{unit}.d"
    text = "\\n".join(["[Service]", *lines, ""])
    host.check_output(f"mkdir -p {folder} && printf %%b %s >{folder}/90-test.conf", text)
    try:
        host.check_output("systemctl --user daemon-reload && systemctl --user restart %s", unit)
        yield
    finally:
        host.check_output(f"rm {folder}/90-test.conf && systemctl --user daemon-reload")
        host.run(f"rmdir {folder}")


def test_a_training_goes_on_after_its_service_hung(running: Host) -> None:
    """A stopped process answers no ping: the watchdog ends it, and the next one takes the run up."""
    with drop_in(running, CASCOR, "WatchdogSec=5"):
        training.start(running, pace=50)
        eventually(lambda: training.status(running).monitor.current_epoch > 50, "it trains")
        before = training.status(running)
        running.check_output("systemctl --user kill --kill-whom=main --signal=STOP %s", CASCOR)
        eventually(lambda: number(running, CASCOR, "NRestarts") == 1, "the watchdog struck")
        eventually(lambda: training.goes_on(running, before), "it goes on")
        training.stop(running)


def test_a_training_goes_on_after_its_trainer_hung(running: Host) -> None:
    """The service kills it and starts another; it is the same service all along."""
    with drop_in(running, CASCOR, "Environment=JUNIPER_CASCOR_TRAINER_DEADLINE_S=5"):
        service = number(running, CASCOR, "MainPID")
        training.start(running, pace=50)
        eventually(lambda: training.status(running).monitor.current_epoch > 50, "it trains")
        before = training.status(running)
        worker = training.worker(running)
        running.check_output(f"kill -STOP {worker}")
        eventually(lambda: training.worker(running) not in (worker, 0), "there is another trainer")
        eventually(lambda: training.goes_on(running, before), "it goes on")
        assert number(running, CASCOR, "MainPID") == service
        training.stop(running)


def test_data_that_crashes_for_good_does_not_end_a_training(running: Host) -> None:
    """Killed past its start limit it stays down, and cascor trains on; a stop of it still stops cascor, for good."""
    # Sooner, and otherwise as it is: six starts within five minutes.
    with drop_in(running, DATA, "RestartSec=100ms"):
        training.start(running, pace=5)
        cascor = number(running, CASCOR, "MainPID")
        for _ in range(10):
            if value(running, DATA, "ActiveState") == "failed":
                break
            kill_until_settled(running, DATA)
        assert value(running, DATA, "ActiveState") == "failed"
        epoch = training.status(running).monitor.current_epoch
        eventually(lambda: training.status(running).monitor.current_epoch > epoch, "the run goes on")
        assert number(running, CASCOR, "MainPID") == cascor

        running.check_output("systemctl --user reset-failed %s && systemctl --user start %s", DATA, DATA)
        assert number(running, CASCOR, "MainPID") == cascor
        running.check_output("systemctl --user stop %s", DATA)
        eventually(lambda: value(running, CASCOR, "ActiveState") == "inactive", "cascor is stopped")
        # What asks for it from outside, as a health check does, must not bring it back.
        running.run("curl -s http://127.0.0.1:8100/v1/health/ready http://127.0.0.1:8200/v1/health/ready")
        assert [value(running, unit, "ActiveState") for unit in (DATA, CASCOR)] == ["inactive", "inactive"]


def test_a_dataset_without_end_is_stopped_by_the_memory_limit(running: Host) -> None:
    """The service ends, and comes back clean; where the kernel offers the controller."""
    if "memory" not in running.check_output("cat /sys/fs/cgroup/cgroup.controllers"):
        pytest.skip("this kernel offers no memory controller to the host")
    with drop_in(running, DATA, "MemoryHigh=infinity", "MemoryMax=300M"):
        body = json.dumps({"generator": "spiral", "params": {"n_points_per_spiral": 50_000_000}})
        running.run("curl -s -m 60 http://127.0.0.1:8100/v1/datasets -d %s", body)
        eventually(lambda: number(running, DATA, "NRestarts") > 0, "the limit struck")
        eventually(lambda: is_running(running, DATA), "data runs again")


def test_a_stop_in_the_middle_of_it_all_is_final(running: Host) -> None:
    """Services that are just being restarted after a crash are stopped like others."""
    for service in ("data", "cascor", "canopy"):
        running.run("systemctl --user kill --kill-whom=main --signal=KILL juniper-%s.service", service)
    assert running.run(f"{JUNIPER_CTL} stop").rc == 0
    assert running.run(f"{JUNIPER_CTL} status").rc == 3
