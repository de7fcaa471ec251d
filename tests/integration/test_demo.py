"""`scripts/juniper-ctl demo` in the foreground: the real three services under the supervisor."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PORTS = ("JUNIPER_DATA_PORT", "JUNIPER_CASCOR_PORT", "JUNIPER_CANOPY_SERVER__PORT")


@dataclass
class Demo:
    """The running command, and what it said until it told how to stop it."""

    process: subprocess.Popen[str]
    said: str
    environment: dict[str, str]

    def port(self, variable: str) -> int:
        """Where a service listens."""
        return int(self.environment[variable])

    def services(self) -> dict[str, int]:
        """The process ids of the services by their names."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        named = {Path(f"/proc/{pid}/cmdline").read_text().split("\0")[1]: int(pid) for pid in children}
        return {Path(path).name: pid for path, pid in named.items()}

    def end(self, number: signal.Signals) -> tuple[int, str]:
        """Send a signal; the exit code and what was said on standard error."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> tuple[int, str]:
        """The exit code and what was said on standard error."""
        _, error = self.process.communicate(timeout=120)
        return self.process.returncode, error


@contextmanager
def demo(home: Path) -> Iterator[Demo]:
    """Run it on free ports with a home of its own; it has ended afterwards."""
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in PORTS]
    ports = {name: str(probe.getsockname()[1]) for name, probe in zip(PORTS, probes, strict=True)}
    for probe in probes:
        probe.close()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
    environment |= {"HOME": str(home), **ports}
    command = [sys.executable, "scripts/juniper-ctl", "demo", "--foreground"]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            if line.startswith("stop "):
                break
        try:
            yield Demo(process, said, environment)
        finally:
            process.terminate()


def is_open(port: int) -> bool:
    """Somebody listens there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_the_demo_trains_and_ctrl_c_leaves_nothing_behind(tmp_path: Path) -> None:
    """Everything is up when it says so: the page, the run on the demo set; and gone after Ctrl-C."""
    with demo(tmp_path) as running:
        page = f"http://127.0.0.1:{running.port('JUNIPER_CANOPY_SERVER__PORT')}"
        assert f"dashboard  {page}" in running.said, running.wait()
        assert urllib.request.urlopen(page, timeout=30).status == 200
        status = f"http://127.0.0.1:{running.port('JUNIPER_CASCOR_PORT')}/v1/training/status"
        with urllib.request.urlopen(status, timeout=30) as answer:
            training = json.load(answer)["data"]
        run = re.search(r"run (\S+) started at 50 epochs a second, seed 42", running.said)
        assert run is not None
        assert (training["run_id"], training["training_active"]) == (run[1], True)
        assert "320 patterns to train on, 80 to test" in running.said

        services = running.services()
        assert set(services) == {"juniper-data", "juniper-cascor", "juniper-canopy"}
        code, error = running.end(signal.SIGINT)
        assert code == 0
        assert [line for line in error.splitlines() if not line.startswith("setup: ")] == []
    assert not any(Path(f"/proc/{pid}").exists() for pid in services.values())
    assert not any(is_open(running.port(variable)) for variable in PORTS)


def test_a_service_that_dies_ends_the_demo_with_its_name(tmp_path: Path) -> None:
    """The others are stopped, and the next command shows the whole log."""
    with demo(tmp_path) as running:
        os.kill(running.services()["juniper-data"], signal.SIGKILL)
        code, error = running.wait()
    assert code == 1
    assert "data ended with 137; the others are stopped" in error
    assert error.endswith(f"next: less {tmp_path}/.local/state/juniper/log/data.log\n")
    assert not any(is_open(running.port(variable)) for variable in PORTS)


def test_a_wrong_setting_is_told_with_the_services_own_words(tmp_path: Path) -> None:
    """Exit code 78, from the env file that a person edits."""
    configuration = tmp_path / ".config/juniper"
    configuration.mkdir(parents=True)
    (configuration / "cascor.env").write_text("JUNIPER_CASCOR_LOG_LEVEL=LOUD\n")
    with demo(tmp_path) as running:
        code, error = running.wait()
    assert code == 78
    assert "cascor ended with 78" in error
    assert "JUNIPER_CASCOR_LOG_LEVEL" in error
