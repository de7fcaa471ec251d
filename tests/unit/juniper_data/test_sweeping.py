"""How the service removes what has expired from its own memory."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import anyio
import pytest

from juniper_common.wire.datasets import CreateDatasetRequest
from juniper_data.app import create_app
from juniper_data.catalog import Catalog, utc_now
from juniper_data.errors import StoreError
from juniper_data.settings import Settings
from juniper_data.stores.memory import MemoryStore
from juniper_data.stores.protocol import Quota
from juniper_data.sweeping import sweeping

pytestmark = pytest.mark.anyio


class OnceBrokenStore(MemoryStore):
    """A store that cannot be swept the first time."""

    is_whole = False

    def delete_expired(self, at: datetime) -> Sequence[str]:
        """Raise once, then sweep."""
        if not self.is_whole:
            self.is_whole = True
            raise StoreError("not now")
        return super().delete_expired(at)


def _in_an_hour() -> datetime:
    return utc_now() + timedelta(hours=1)


async def _until_there_are(n: int, store: MemoryStore) -> None:
    with anyio.fail_after(60):
        while len(store.ids(10, 0)) != n:
            await anyio.sleep(0.01)


async def test_what_has_expired_is_removed_again_and_again() -> None:
    """And nothing else."""
    store = MemoryStore(Quota())
    catalog = Catalog(store)
    async with sweeping(Catalog(store, clock=_in_an_hour), every_s=0.01):
        for seed in (1, 2):
            catalog.create(CreateDatasetRequest(generator="xor", params={"seed": seed}, ttl_seconds=60))
            await _until_there_are(0, store)
        catalog.create(CreateDatasetRequest(generator="xor"))
        catalog.create(CreateDatasetRequest(generator="xor", params={"seed": 3}, ttl_seconds=60))
        await _until_there_are(1, store)


async def test_a_sweep_that_fails_is_told_and_done_again(caplog: pytest.LogCaptureFixture) -> None:
    """The service goes on meanwhile."""
    store = OnceBrokenStore(Quota())
    Catalog(store).create(CreateDatasetRequest(generator="xor", ttl_seconds=60))
    async with sweeping(Catalog(store, clock=_in_an_hour), every_s=0.01):
        await _until_there_are(0, store)
    assert "not now" in caplog.text


@pytest.mark.parametrize(
    ("store", "sweeps"), [("memory", True), ("cached:file_system:memory", True), ("file_system", False)]
)
async def test_only_a_store_that_nobody_else_reaches_is_swept_by_the_service(
    tmp_path: Path, store: str, sweeps: bool
) -> None:
    """Any other has its timer; and the sweep ends with the service."""
    app = create_app(Settings(state_dir=tmp_path, store=store), Catalog(MemoryStore(Quota())))
    async with app.router.lifespan_context(app):
        assert ("sweep" in {task.get_name() for task in asyncio.all_tasks()}) is sweeps
    assert "sweep" not in {task.get_name() for task in asyncio.all_tasks()}
