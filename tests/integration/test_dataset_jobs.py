"""What was accepted is made, and what was not leaves nothing: whatever ends the service, and when."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from pydantic import JsonValue

from tests.dataset_process import TIMEOUT_S, DatasetProcess, dataset_service
from tests.small_disk import small_disk

AT_ONCE = {"Prefer": "respond-async"}
LARGEST = {"n_spirals": 10, "n_points_per_spiral": 10_000}
CSV = b"x,y,label\n" + b"".join(b"%d,%d,%d\n" % (n, n * n, n % 2) for n in range(20_000))


def accepted(service: DatasetProcess, number: int) -> list[str]:
    """Ask for many large datasets at once; the jobs of those that were promised."""
    answers = [
        service.http.post(
            "/v1/datasets", json={"generator": "spiral", "params": LARGEST | {"seed": seed}}, headers=AT_ONCE
        )
        for seed in range(number)
    ]
    return [answer.json()["job_url"] for answer in answers if answer.status_code == 202]


def ended(service: DatasetProcess, job_url: str) -> dict[str, JsonValue]:
    """A job at its end."""
    deadline = time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline:
        job: dict[str, JsonValue] = service.http.get(job_url).raise_for_status().json()
        if job["status"] != "running":
            return job
        time.sleep(0.05)
    raise AssertionError(f"{job_url} does not end")


def left(state_dir: Path) -> list[str]:
    """What is kept for jobs."""
    return [path.name for folder in ("jobs", "uploads") for path in (state_dir / folder).glob("*")]


def test_kill_loses_no_job_that_was_accepted(tmp_path: Path) -> None:
    """The next start makes each, and then nothing is left of the jobs."""
    with dataset_service(tmp_path / "state") as service:
        jobs = accepted(service, 20)
        service.kill()
    assert left(tmp_path / "state")
    with dataset_service(tmp_path / "state") as service:
        assert {ended(service, job)["status"] for job in jobs} == {"succeeded"}
        assert left(tmp_path / "state") == []


def test_kill_loses_no_upload_that_was_accepted(tmp_path: Path) -> None:
    """The file was on the disk when the answer came."""
    with dataset_service(tmp_path / "state") as service:
        answer = service.http.post("/v1/datasets/upload", content=CSV, params={"name": "mine"}, headers=AT_ONCE)
        service.kill()
    assert answer.status_code == 202
    assert len(left(tmp_path / "state")) == 2
    with dataset_service(tmp_path / "state") as service:
        assert ended(service, answer.json()["job_url"])["status"] == "succeeded"
        meta = service.http.get("/v1/datasets/latest", params={"name": "mine"}).json()
        assert (meta["dataset_id"], meta["n_samples"]) == (answer.json()["dataset_id"], 20_000)
        assert left(tmp_path / "state") == []


def test_kill_midway_an_upload_leaves_nothing(tmp_path: Path) -> None:
    """The next start removes the half."""
    head = b"POST /v1/datasets/upload HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 4000000\r\n\r\n"
    with (
        dataset_service(tmp_path / "state") as service,
        socket.create_connection(("127.0.0.1", service.port)) as caller,
    ):
        caller.sendall(head + b"x" * 2_000_000)
        deadline = time.monotonic() + TIMEOUT_S
        while not left(tmp_path / "state"):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        service.kill()
    with dataset_service(tmp_path / "state"):
        assert left(tmp_path / "state") == []


def test_stop_leaves_what_takes_long_to_the_next_start(tmp_path: Path) -> None:
    """The service ends in order and in time, and goes on where it was."""
    with dataset_service(tmp_path / "state") as service:
        jobs = accepted(service, 100)
        assert service.stop() == 0
    with dataset_service(tmp_path / "state") as service:
        assert {ended(service, job)["status"] for job in jobs} == {"succeeded"}


@pytest.fixture
def on_a_small_disk(tmp_path: Path) -> Iterator[DatasetProcess]:
    """A service whose state is on a file system of its own, with room for little."""
    state = tmp_path / "state"
    with dataset_service(state, wrapper=small_disk(state, "4m")) as running:
        yield running


def test_file_that_fills_the_disk_is_refused(on_a_small_disk: DatasetProcess) -> None:
    """507, and the room is there again for others."""
    http = on_a_small_disk.http
    refused = http.post("/v1/datasets/upload", content=(b"x" * 100_000 for _ in range(60)))
    assert (refused.status_code, "full" in refused.json()["detail"]) == (507, True)
    disk = Path(f"/proc/{on_a_small_disk.process.pid}/root{on_a_small_disk.state_dir}")
    assert left(disk) == []
    assert http.post("/v1/datasets", json={"generator": "xor"}).status_code == 201


def test_full_disk_is_emptied_through_the_service(on_a_small_disk: DatasetProcess) -> None:
    """It says that it is full, serves what is there, and deletes it, started anew on the full disk too."""
    http = on_a_small_disk.http
    dataset_id = http.post("/v1/datasets", json={"generator": "xor"}).json()["dataset_id"]
    inside = Path(f"/proc/{on_a_small_disk.process.pid}/root")
    disk = inside / on_a_small_disk.state_dir.relative_to("/")
    with suppress(OSError), (disk / "filler").open("wb", buffering=0) as filler:
        while True:
            filler.write(bytes(4096))
    entered = ("nsenter", f"--mount=/proc/{on_a_small_disk.process.pid}/ns/mnt")
    holder = subprocess.Popen([*entered, "sleep", "60"])
    on_a_small_disk.stop()
    try:
        entered = ("nsenter", f"--mount=/proc/{holder.pid}/ns/mnt")
        with dataset_service(on_a_small_disk.state_dir, wrapper=entered) as again:
            ready = again.http.get("/v1/health/ready").json()
            assert (ready["status"], ready["dependencies"]["room"]["status"]) == ("degraded", "unhealthy")
            assert again.http.post("/v1/datasets", json={"generator": "moon"}).status_code == 507
            assert again.http.get(f"/v1/datasets/{dataset_id}/artifact").status_code == 200
            assert again.http.delete(f"/v1/datasets/{dataset_id}").status_code == 204
    finally:
        holder.kill()
        holder.wait()


def test_connection_serves_on_after_a_file_that_was_refused(tmp_path: Path) -> None:
    """What is left of the file is not taken for the next request."""
    with dataset_service(tmp_path / "state", {"JUNIPER_DATA_MAX_UPLOAD_BYTES": "1000"}) as service:
        refused = service.http.post("/v1/datasets/upload", content=b"x" * 1_000_000)
        assert refused.status_code == 413
        assert service.http.get("/v1/health").status_code == httpx.codes.OK
