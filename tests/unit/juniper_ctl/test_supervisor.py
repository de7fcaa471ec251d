import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from juniper_ctl.supervisor import Program, ServiceEnded, StopRequested, Supervisor

FAKE_SERVICE = Path(__file__).with_name("fake_service.py")


class Told:
    """Notes what the supervisor reports."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, who: str, what: str) -> None:
        """One line."""
        self.lines.append(f"{who}: {what}")


@pytest.fixture
def told() -> Told:
    """An empty report."""
    return Told()


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def program(folder: Path, name: str, *behaviour: str, port: int = 0) -> Program:
    """A fake service."""
    command = (sys.executable, str(FAKE_SERVICE), str(port), *behaviour)
    return Program(name, command, dict(os.environ), folder / "log" / f"{name}.log")


def ends(pid: int) -> bool:
    """The process is gone, or soon is."""
    deadline = time.monotonic() + 60
    while exists(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not exists(pid)


def exists(pid: int) -> bool:
    """The process is there, and no zombie that only waits to be counted."""
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False


def pid_of_child(program: Program) -> int:
    """The process id that the fake service printed."""
    return int(program.log.read_text().split("child ")[1].split()[0])


def test_a_service_counts_as_started_when_it_said_ready(tmp_path: Path, told: Told) -> None:
    """Its port is open then, and it has a runtime folder of its own."""
    port = free_port()
    with Supervisor(told) as supervisor:
        supervisor.start(program(tmp_path, "data", port=port))
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/") as answer:
            runtime_folder = Path(answer.read().decode())
        assert runtime_folder.stat().st_mode & 0o777 == 0o700
    assert told.lines == ["data: listening", "data: stopping"]
    assert not runtime_folder.exists()


def test_services_are_stopped_in_reverse_order(tmp_path: Path, told: Told) -> None:
    """Who needs another ends before it."""
    with Supervisor(told) as supervisor:
        for name in ("data", "cascor", "canopy"):
            supervisor.start(program(tmp_path, name))
    assert told.lines[-3:] == ["canopy: stopping", "cascor: stopping", "data: stopping"]


def test_a_service_that_ends_while_it_starts_is_told_with_its_last_lines(tmp_path: Path, told: Told) -> None:
    """And with its exit status; the others are stopped."""
    with pytest.raises(ServiceEnded) as raised, Supervisor(told) as supervisor:
        supervisor.start(program(tmp_path, "data"))
        supervisor.start(program(tmp_path, "cascor", "dies"))
    assert (raised.value.program.name, raised.value.exit_status) == ("cascor", 75)
    assert raised.value.last_lines() == ["starting", "port taken"]
    assert "data: stopping" in told.lines


def test_a_service_that_is_killed_later_ends_the_watch(tmp_path: Path, told: Told) -> None:
    """None is restarted: a person should see it. The status is as a shell has it."""
    with pytest.raises(ServiceEnded) as raised, Supervisor(told) as supervisor:
        data = program(tmp_path, "data", "child")
        supervisor.start(data)
        service_pid = int(Path(f"/proc/{pid_of_child(data)}/stat").read_text().rpartition(")")[2].split()[1])
        os.kill(service_pid, signal.SIGKILL)
        supervisor.watch()
    assert raised.value.exit_status == 128 + signal.SIGKILL
    assert ends(pid_of_child(data))


def test_a_service_that_never_says_ready_is_given_up(tmp_path: Path, told: Told) -> None:
    """There is no exit status then."""
    with pytest.raises(ServiceEnded) as raised, Supervisor(told, start_timeout_s=0.5) as supervisor:
        supervisor.start(program(tmp_path, "data", "silent"))
    assert raised.value.exit_status is None


def test_a_service_may_ask_for_more_time(tmp_path: Path, told: Told) -> None:
    """Loading may take longer than any fixed time."""
    with Supervisor(told, start_timeout_s=30) as supervisor:
        assert supervisor.start(program(tmp_path, "data", "slow")) > 0.4


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_the_services_in_order(tmp_path: Path, told: Told, number: signal.Signals) -> None:
    """Ctrl-C, a shutdown and a closed terminal alike; afterwards signals mean what they meant before."""
    before = signal.getsignal(number)
    with pytest.raises(StopRequested), Supervisor(told) as supervisor:
        data = program(tmp_path, "data", "child")
        supervisor.start(data)
        os.kill(os.getpid(), number)
        supervisor.watch()
    assert ends(pid_of_child(data))
    assert signal.getsignal(number) is before


def test_what_does_not_end_in_time_is_killed(tmp_path: Path, told: Told) -> None:
    """Its children with it."""
    with Supervisor(told, stop_timeout_s=0.3) as supervisor:
        data = program(tmp_path, "data", "deaf", "child")
        supervisor.start(data)
    assert ends(pid_of_child(data))


def test_a_second_signal_does_not_wait(tmp_path: Path, told: Told) -> None:
    """Who presses Ctrl-C twice is in a hurry."""

    def impatient(who: str, what: str) -> None:
        told(who, what)
        if what == "stopping":
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(StopRequested), Supervisor(impatient, stop_timeout_s=1000) as supervisor:
        supervisor.start(program(tmp_path, "data", "deaf"))
        os.kill(os.getpid(), signal.SIGINT)
        supervisor.check()
    assert told.lines[-1] == "data: stopping"


def test_the_log_of_the_last_time_is_kept(tmp_path: Path, told: Told) -> None:
    """One of them, so that logs do not grow for ever."""
    for _ in range(2):
        with Supervisor(told) as supervisor:
            data = program(tmp_path, "data")
            supervisor.start(data)
    assert data.log.read_text() == data.log.with_name("data.log.1").read_text() == "starting\n"


def test_nothing_survives_a_killed_supervisor(tmp_path: Path) -> None:
    """Not even when it could not clean up: the kernel tells the services."""
    script = (
        "import sys, pathlib\n"
        "from juniper_ctl.supervisor import Supervisor\n"
        "from tests.unit.juniper_ctl.test_supervisor import program\n"
        "with Supervisor(lambda *_: None) as supervisor:\n"
        "    supervisor.start(program(pathlib.Path(sys.argv[1]), 'data'))\n"
        "    print(supervisor._running[0].process.pid, flush=True)\n"
        "    supervisor.watch()\n"
    )

    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
        env=os.environ | {"TMPDIR": str(tmp_path)},
    ) as supervisor:
        assert supervisor.stdout is not None
        service_pid = int(supervisor.stdout.readline())
        supervisor.kill()
    assert ends(service_pid)
