"""The process, as systemd sees it."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.dataset_process import dataset_service


def _environment(tmp_path: Path, **more: str) -> dict[str, str]:
    return os.environ | {"JUNIPER_DATA_STATE_DIR": str(tmp_path / "state"), "JUNIPER_DATA_PORT": "0"} | more


def _run(environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "juniper_data"]
    return subprocess.run(command, env=environment, stderr=subprocess.PIPE, text=True, timeout=60, check=False)


@pytest.fixture
def notify_socket(tmp_path: Path) -> Iterator[socket.socket]:
    """Where the process says that it is ready."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(60)
        yield listener


def _free_port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return str(free.getsockname()[1])


def test_process_is_ready_serves_and_ends_when_told(tmp_path: Path) -> None:
    """READY comes once the port answers, and SIGTERM ends the process with 0."""
    with dataset_service(tmp_path / "state") as service:
        answer = service.http.post("/v1/datasets", json={"generator": "xor"})
        assert service.stop() == 0
    assert answer.status_code == 201
    assert len(list((tmp_path / "state").glob(f"artifacts/*/{answer.json()['dataset_id']}.*.npz"))) == 1


def test_process_makes_the_import_folder_that_it_reads_by_default(tmp_path: Path) -> None:
    """So that whoever has a file to import finds where it belongs; nobody else reads there."""
    with dataset_service(tmp_path / "state"):
        assert (tmp_path / "state" / "import").stat().st_mode & 0o777 == 0o700


def test_process_makes_no_import_folder_that_it_was_told(tmp_path: Path) -> None:
    """A mistyped one stays one that is not there."""
    with dataset_service(tmp_path / "state", {"JUNIPER_DATA_IMPORT_DIR": str(tmp_path / "files")}):
        assert not (tmp_path / "files").exists()
        assert not (tmp_path / "state" / "import").exists()


def test_process_tells_of_itself(tmp_path: Path, notify_socket: socket.socket) -> None:
    """How often it was started, when its watchdog was last answered, and what it logged since."""
    port = _free_port()
    told = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "JUNIPER_DATA_PORT": port, "WATCHDOG_USEC": "3000000"}
    starts = []
    for _ in range(2):
        with subprocess.Popen([sys.executable, "-m", "juniper_data"], env=_environment(tmp_path, **told)) as process:
            while notify_socket.recv(4096) != b"WATCHDOG=1":
                pass
            host = httpx.get(f"http://127.0.0.1:{port}/v1/host").json()
            logs = httpx.get(f"http://127.0.0.1:{port}/v1/logs", params={"level": "INFO"}).json()
            process.send_signal(signal.SIGTERM)
        starts.append(host["starts"])
        assert host["watchdog_age_s"] is not None
        assert f"listening on 127.0.0.1 port {port}" in [record["message"] for record in logs["records"]]
    assert starts == [1, 2]


def test_unusable_state_folder_is_one_line_and_78(tmp_path: Path) -> None:
    """Without a place for datasets the process says so and is not started again."""
    (tmp_path / "state").touch()
    ended = _run(_environment(tmp_path))
    assert (ended.returncode, len(ended.stderr.splitlines())) == (78, 1)
    assert "JUNIPER_DATA_STATE_DIR" in ended.stderr


def test_second_service_of_a_state_folder_is_one_line_and_78(tmp_path: Path, notify_socket: socket.socket) -> None:
    """It would remove the uploads that the first one takes, and make what that one makes; but a sweep may run."""
    environment = _environment(tmp_path, NOTIFY_SOCKET=str(tmp_path / "notify"))
    with subprocess.Popen([sys.executable, "-m", "juniper_data"], env=environment) as process:
        while notify_socket.recv(4096) != b"READY=1":
            pass
        coming = tmp_path / "state" / "uploads" / "coming"
        coming.parent.mkdir()
        coming.touch()
        ended = _run(_environment(tmp_path))
        sweep = subprocess.run(
            [sys.executable, "-m", "juniper_data", "sweep"], env=environment, timeout=60, check=False
        )
        process.send_signal(signal.SIGTERM)
    assert (ended.returncode, len(ended.stderr.splitlines())) == (78, 1)
    assert f"another dataset service uses the state folder {tmp_path / 'state'}" in ended.stderr
    assert (coming.exists(), sweep.returncode) == (True, 0)


def test_damaged_index_is_one_line_and_78(tmp_path: Path) -> None:
    """What is there is not lost by starting anew; it is told which file it is, and what to do."""
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "index.sqlite").write_bytes(b"no database" * 1000)
    ended = _run(_environment(tmp_path))
    assert (ended.returncode, len(ended.stderr.splitlines())) == (78, 1)
    assert str(tmp_path / "state" / "index.sqlite") in ended.stderr
    assert "restore" in ended.stderr


def test_unknown_store_is_one_line_and_78(tmp_path: Path) -> None:
    """It is told which there are."""
    ended = _run(_environment(tmp_path, JUNIPER_DATA_STORE="cached:memory:tape"))
    assert (ended.returncode, len(ended.stderr.splitlines())) == (78, 1)
    assert "JUNIPER_DATA_STORE: there is no store 'cached:memory:tape'" in ended.stderr


def test_wrong_setting_is_one_line_and_78(tmp_path: Path) -> None:
    """A wrong setting is named."""
    ended = _run(_environment(tmp_path, JUNIPER_DATA_PORT="many"))
    assert (ended.returncode, len(ended.stderr.splitlines())) == (78, 1)
    assert "JUNIPER_DATA_PORT" in ended.stderr


def test_generator_that_is_left_out_is_logged_as_all_else(tmp_path: Path) -> None:
    """With its time and level; the port is taken only so that the process ends."""
    metadata = tmp_path / "rings-1.2.3.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: rings\nVersion: 1.2.3\n")
    (metadata / "entry_points.txt").write_text("[juniper_data.generators]\nspiral = rings:SPIRAL\n")
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = str(holder.getsockname()[1])
        ended = _run(_environment(tmp_path, JUNIPER_DATA_PORT=port, PYTHONPATH=path))
    said = "WARNING juniper_data.generators.registry: generator spiral of rings: rings:SPIRAL is left out"
    assert said in ended.stderr


def test_taken_port_is_one_line_and_75(tmp_path: Path) -> None:
    """A port that somebody holds is named, and systemd may try again."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = str(holder.getsockname()[1])
        ended = _run(_environment(tmp_path, JUNIPER_DATA_PORT=port))
    assert (ended.returncode, len(ended.stderr.splitlines())) == (75, 1)
    assert port in ended.stderr
