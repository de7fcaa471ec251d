"""A gigabyte in and out again, and the most memory that the service and its child had meanwhile."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import psutil

from benchmarks.service.figures import Line, below
from benchmarks.service.running import Started
from juniper_data.npz import write_npz

from .running import DISK, peak_mb, running_service

MAX_MB = 200.0
FEATURES, CLASSES = 62, 2  # with the targets 64 numbers of 4 bytes a sample
SAMPLES = 4_000_000  # in all
TICK_S = 0.05
PIECE_BYTES = 1 << 20


@dataclass(frozen=True)
class Gigabyte:
    """What was measured."""

    uploaded_bytes: int
    upload_s: float
    artifact_bytes: int
    download_s: float
    service_mb: float
    child_mb: float

    def lines(self) -> Iterator[Line]:
        """For the table."""
        up, down = self.uploaded_bytes / 1e9, self.artifact_bytes / 1e9
        for name, mb in (("the service", self.service_mb), ("its child that reads the file", self.child_mb)):
            yield below(f"{up:.1f} GB uploaded, {down:.1f} GB downloaded: peak memory of {name}", mb, MAX_MB, "MB")
        yield Line("the time of that", f"upload {self.upload_s:.0f} s, download {self.download_s:.1f} s")


def measure_gigabyte(*, samples: int = SAMPLES) -> Gigabyte:
    """An NPZ with splits of its own, sent and fetched in pieces. Raises RuntimeError where other bytes come back."""
    with running_service(wait_s=0) as service, _children_watched(service.process) as children:
        with tempfile.NamedTemporaryFile(suffix=".npz", dir=DISK) as file:
            _write(Path(file.name), samples)
            uploaded_bytes = Path(file.name).stat().st_size
            began = time.perf_counter()
            result = _uploaded(service, Path(file.name))
            upload_s = time.perf_counter() - began
        began = time.perf_counter()
        artifact_bytes = _download(service, result)
        download_s = time.perf_counter() - began
        service_mb = peak_mb(service.process.pid)
    if not children:
        raise RuntimeError("no child of the service was seen: who read the file?")
    return Gigabyte(uploaded_bytes, upload_s, artifact_bytes, download_s, service_mb, max(children.values()))


def _write(path: Path, samples: int) -> None:
    """Four fifths to train on, one to test with."""
    rng = np.random.default_rng(0)
    arrays = {}
    for name, n in (("train", samples - samples // 5), ("test", samples // 5)):
        arrays[f"X_{name}"] = rng.random((n, FEATURES), dtype=np.float32)
        arrays[f"y_{name}"] = np.eye(CLASSES, dtype=np.float32)[rng.integers(CLASSES, size=n)]
    with path.open("wb") as file:
        write_npz(file, arrays)


def _uploaded(service: Started, path: Path) -> Any:
    connection = _connect(service)
    with path.open("rb") as file:
        headers = {"Content-Length": str(path.stat().st_size)}
        connection.request("POST", "/v1/datasets/upload?format=npz", body=file, headers=headers)
        answer = _json(connection.getresponse())
    while answer.get("status") == "running":
        time.sleep(0.1)
        connection.request("GET", answer["job_url"])
        answer = _json(connection.getresponse())
    connection.close()
    if answer.get("status") == "failed":
        raise RuntimeError(f"the upload was refused: {answer['error']}")
    return answer.get("result", answer)


def _download(service: Started, made: Any) -> int:
    connection = _connect(service)
    connection.request("GET", made["artifact_url"])
    answer = connection.getresponse()
    digest, size = hashlib.sha256(), 0
    while piece := answer.read(PIECE_BYTES):
        digest.update(piece)
        size += len(piece)
    connection.close()
    if digest.hexdigest() != made["meta"]["checksum"]:
        raise RuntimeError(f"what was downloaded is not what was stored: {answer.status}")
    return size


def _connect(service: Started) -> http.client.HTTPConnection:
    url = urlsplit(service.address)
    return http.client.HTTPConnection(url.hostname or "", url.port, timeout=600, blocksize=PIECE_BYTES)


def _json(response: http.client.HTTPResponse) -> Any:
    body = response.read()
    if response.status >= 300:
        raise RuntimeError(f"{response.status} {body.decode(errors='replace')}")
    return json.loads(body)


@contextmanager
def _children_watched(process: psutil.Process) -> Iterator[dict[int, float]]:
    """The peak of each child so far, looked at so often that the last look is near its end."""
    peaks: dict[int, float] = {}
    is_over = threading.Event()

    def watch() -> None:
        while not is_over.wait(TICK_S):
            for child in process.children(recursive=True):
                # It may end between the two lines.
                with contextlib.suppress(FileNotFoundError, ProcessLookupError, ValueError):
                    peaks[child.pid] = peak_mb(child.pid)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peaks
    finally:
        is_over.set()
        watcher.join()
