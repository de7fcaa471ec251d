"""Downloads from the real service over connections that are lost."""

import asyncio
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import stamina
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from juniper_common.http import UnreachableError
from juniper_data.app import create_app
from juniper_data.catalog import Catalog
from juniper_data.client import AsyncJuniperDataClient, JuniperDataClient
from juniper_data.settings import Settings
from juniper_data.stores.memory import MemoryStore
from tests.serving import served

LARGE = {"n_spirals": 10, "n_points_per_spiral": 10_000}
CUT_AT = 3_000_000

Download = Callable[[str, str, Path], str]


@pytest.fixture(autouse=True)
def _no_pauses() -> Iterator[None]:
    """Retries come at once."""
    with stamina.set_testing(True, attempts=4, cap=True):
        yield


class Cutting:
    """Ends the connection of every artifact's first `n` answers in their midst, and keeps what was asked for."""

    def __init__(self, app: ASGIApp, n: int) -> None:
        self._app = app
        self._left = n
        self.asked: list[str | None] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on, but the end."""
        sent = 0

        async def cutting(message: Message) -> None:
            nonlocal sent
            sent += len(message.get("body", b""))
            if sent > CUT_AT and self._left:
                self._left -= 1
                raise ConnectionAbortedError("cut off")
            await send(message)

        if scope["type"] == "http" and scope["path"].endswith("/artifact"):
            self.asked.append(Headers(scope=scope).get("range"))
            await self._app(scope, receive, cutting)
        else:
            await self._app(scope, receive, send)


def _service(folder: Path, n: int) -> Cutting:
    return Cutting(create_app(Settings(state_dir=folder), Catalog(MemoryStore())), n)


def _download(url: str, dataset_id: str, path: Path) -> str:
    with JuniperDataClient(url) as client:
        return client.download_artifact(dataset_id, path)


def _download_async(url: str, dataset_id: str, path: Path) -> str:
    async def download() -> str:
        async with AsyncJuniperDataClient(url) as client:
            return await client.download_artifact(dataset_id, path)

    return asyncio.run(download())


@pytest.fixture(params=[_download, _download_async], ids=["threads", "event loop"])
def download(request: pytest.FixtureRequest) -> Download:
    """Downloads with one of the two clients."""
    chosen: Download = request.param
    return chosen


def test_a_lost_connection_costs_what_was_on_its_way(download: Download, tmp_path: Path) -> None:
    """The rest is asked for, and the whole is what was stored."""
    service = _service(tmp_path, 2)
    with served(service) as url, JuniperDataClient(url) as client:
        meta = client.create_dataset("spiral", LARGE).meta
        assert download(url, meta.dataset_id, tmp_path / "large.npz") == meta.checksum
    assert hashlib.sha256((tmp_path / "large.npz").read_bytes()).hexdigest() == meta.checksum
    whole, *rests = service.asked
    starts = [int((asked or "").removeprefix("bytes=").removesuffix("-")) for asked in rests]
    assert whole is None
    assert len(starts) == 2
    assert 0 < starts[0] <= CUT_AT < starts[1]


def test_what_is_always_lost_leaves_nothing(download: Download, tmp_path: Path) -> None:
    """Neither the file nor a part of it."""
    service = _service(tmp_path / "state", 100)
    (tmp_path / "here").mkdir()
    with served(service) as url, JuniperDataClient(url) as client:
        dataset_id = client.create_dataset("spiral", {**LARGE, "n_points_per_spiral": 9_999}).dataset_id
        with pytest.raises(UnreachableError):
            for _ in range(2):
                service.asked.clear()
                download(url, dataset_id, tmp_path / "here" / "large.npz")
    assert list((tmp_path / "here").iterdir()) == []
