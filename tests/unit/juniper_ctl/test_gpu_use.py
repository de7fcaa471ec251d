import http.server
import json
import threading
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from juniper_ctl.gpu_use import Gpu, Gpus, gpus
from juniper_ctl.locations import Locations

GPU = Gpu(0, "NVIDIA H100", 2 * 2**30, 80 * 2**30, 45, 54, 210.5)
NOT_TOLD = Gpu(1, "GRID", None, None, None, None, None)


class Cascor(http.server.BaseHTTPRequestHandler):
    """Answers /v1/host."""

    answer: object = None

    def do_GET(self) -> None:
        """The class's answer, or a refusal without one."""
        self.send_response(401 if self.answer is None else 200)
        self.end_headers()
        self.wfile.write(json.dumps(self.answer).encode())

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def cascor(home: Locations) -> Iterator[type[Cascor]]:
    """A training service on a free port, as the settings say."""

    class Handler(Cascor):
        pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        home.configuration.mkdir(parents=True)
        (home.configuration / "cascor.env").write_text(f"JUNIPER_CASCOR_PORT={server.server_port}\n")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield Handler
        server.shutdown()
        thread.join()


@pytest.fixture
def nvidia_smi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the driver's program goes; there is none at first, and nothing else either."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path / "nvidia-smi"


def write(program: Path, *lines: str) -> None:
    """What it does."""
    program.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    program.chmod(0o755)


@pytest.mark.usefixtures("nvidia_smi")
def test_the_training_service_tells(home: Locations, cascor: type[Cascor]) -> None:
    """Null is what the driver does not tell."""
    told = [asdict(GPU)]
    cascor.answer = {"status": "success", "data": {"gpus": told}}
    assert gpus(home) == Gpus((GPU,), "cascor", "")
    cascor.answer = {"status": "success", "data": {"gpus": []}}
    assert gpus(home) == Gpus((), "cascor", "none that cascor sees")


@pytest.mark.usefixtures("cascor")
def test_the_driver_is_asked_where_the_training_service_does_not_tell(home: Locations, nvidia_smi: Path) -> None:
    """As one that wants another key does not."""
    write(
        nvidia_smi,
        "echo '0, NVIDIA H100, 2048, 81920, 45, 54, 210.50'",
        "echo '1, GRID, [N/A], [N/A], [N/A], [N/A], [Not Supported]'",
    )
    assert gpus(home) == Gpus((GPU, NOT_TOLD), "nvidia-smi", "")


def test_where_nobody_can_be_asked_the_reason_is_told(home: Locations, nvidia_smi: Path) -> None:
    """Nothing listens, and the driver's program is missing or fails."""
    home.configuration.mkdir(parents=True)
    (home.configuration / "cascor.env").write_text("JUNIPER_CASCOR_PORT=1\n")
    reason = "cascor does not tell ([Errno 111] Connection refused), and nvidia-smi neither"
    assert gpus(home) == Gpus((), "", reason)
    write(nvidia_smi, "exit 9")
    assert gpus(home) == Gpus((), "", reason)
