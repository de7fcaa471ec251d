"""The clients against services that fail, each a hand-written transport."""

import asyncio
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import stamina

from juniper_common.http import ClientError, ServerError, UnreachableError
from juniper_data.client import AsyncJuniperDataClient, ChecksumError, JuniperDataClient

ARTIFACT = b"x" * 100


@pytest.fixture(autouse=True)
def _no_pauses() -> Iterator[None]:
    """Retries come at once."""
    stamina.set_testing(True, attempts=4, cap=True)
    yield
    stamina.set_testing(False)


def _client(answer: Callable[[httpx.Request], httpx.Response]) -> JuniperDataClient:
    return JuniperDataClient("http://data", transport=httpx.MockTransport(answer))


class Failing:
    """A service that always answers 503, and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, _: httpx.Request) -> httpx.Response:
        """Refuse."""
        self.asked += 1
        return httpx.Response(503, json={"detail": "full"})


@pytest.mark.parametrize(("params", "asked"), [({}, 4), ({"seed": 1}, 4), ({"seed": None}, 1)])
def test_create_is_repeated_only_where_it_is_safe(params: dict[str, int | None], asked: int) -> None:
    """With a seed the same dataset is found again; without one each try could make another."""
    service = Failing()
    with _client(service) as client, pytest.raises(ServerError, match="full"):
        client.create_dataset("xor", dict(params))
    assert service.asked == asked


def test_answer_of_another_service_is_a_client_error() -> None:
    """What is no answer of the dataset service is told as such."""
    with (
        _client(lambda _: httpx.Response(200, text="<html>")) as client,
        pytest.raises(ClientError, match="not an answer"),
    ):
        client.get_dataset("x")


def test_newer_services_may_say_more() -> None:
    """Fields that this client does not know are ignored."""
    body = {"n_samples": 0, "X_sample": [], "y_sample": [], "news": 1}
    with _client(lambda _: httpx.Response(200, json=body)) as client:
        assert client.preview("x").n_samples == 0


def test_download_continues_where_it_was_cut(tmp_path: Path) -> None:
    """A shorter range than asked for is continued; a failed try in between costs nothing."""
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers["range"])
        if len(asked) == 2:
            return httpx.Response(502)
        start = int(asked[-1].removeprefix("bytes=").split("-")[0])
        part = ARTIFACT[start : start + 60]
        content_range = f"bytes {start}-{start + len(part) - 1}/100"
        return httpx.Response(206, content=part, headers={"Content-Range": content_range})

    checksum = hashlib.sha256(ARTIFACT).hexdigest()
    with _client(answer) as client:
        assert client.download_artifact("x", tmp_path / "x.npz", checksum=checksum) == checksum
    assert [start.split("-")[0] for start in asked] == ["bytes=0", "bytes=60", "bytes=60"]


def test_download_from_a_service_without_ranges(tmp_path: Path) -> None:
    """A service that sends the whole is taken at its word, and its ETag."""
    tag = f'"{hashlib.sha256(ARTIFACT).hexdigest()}"'
    with _client(lambda _: httpx.Response(200, content=ARTIFACT, headers={"ETag": tag})) as client:
        client.download_artifact("x", tmp_path / "x.npz")
    assert (tmp_path / "x.npz").read_bytes() == ARTIFACT


@pytest.mark.parametrize("content_range", ["", "bytes 5-9/100", "bytes */100", "bytes 0-0/1"])
def test_download_of_another_range_is_refused(tmp_path: Path, content_range: str) -> None:
    """Bytes from elsewhere in the artifact, or none at all, are not put together to a file."""
    content = b"" if content_range == "bytes 0-0/1" else b"xxxxx"
    with (
        _client(lambda _: httpx.Response(206, content=content, headers={"Content-Range": content_range})) as client,
        pytest.raises(ClientError, match="not the range"),
    ):
        client.download_artifact("x", tmp_path / "x.npz")
    assert list(tmp_path.iterdir()) == []


def test_download_without_any_checksum_is_refused(tmp_path: Path) -> None:
    """An artifact that nobody vouches for is not kept."""
    with _client(lambda _: httpx.Response(200, content=ARTIFACT)) as client, pytest.raises(ChecksumError):
        client.download_artifact("x", tmp_path / "x.npz")


def test_wait_for_ready_ends_in_time() -> None:
    """A service that does not come is an error, whether it answers or not."""

    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    async def wait(answer: Callable[[httpx.Request], httpx.Response]) -> None:
        async with AsyncJuniperDataClient("http://data", transport=httpx.MockTransport(answer)) as client:
            await client.wait_for_ready(0.01)

    for answer in (refuse, Failing()):
        with _client(answer) as client, pytest.raises(UnreachableError, match="not ready within"):
            client.wait_for_ready(0.01)
        with pytest.raises(UnreachableError, match="not ready within"):
            asyncio.run(wait(answer))
