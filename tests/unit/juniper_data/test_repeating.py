"""What the service does by itself every so often, and which services sweep."""

import asyncio
import logging
from pathlib import Path

import anyio
import pytest

from juniper_data.app import create_app
from juniper_data.catalog import Catalog
from juniper_data.errors import StoreError
from juniper_data.repeating import repeating
from juniper_data.settings import Settings
from juniper_data.stores.memory import MemoryStore
from tests.unit.juniper_data.stores.made import id_of, later, made

pytestmark = pytest.mark.anyio


class Work:
    """Counts how often it is done; the first time it fails."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> None:
        """Do it."""
        self.times += 1
        if self.times == 1:
            raise StoreError("not now")

    async def until(self, times: int) -> None:
        """Return when it was done so often."""
        with anyio.fail_after(60):
            while self.times < times:
                await anyio.sleep(0.01)


async def test_it_is_done_again_and_again(caplog: pytest.LogCaptureFixture) -> None:
    """A failure is told, and ends nothing."""
    work = Work()
    async with repeating("work", work, 0.01):
        await work.until(3)
    assert [record.getMessage() for record in caplog.records] == ["the work failed, and will be tried again: not now"]


async def test_it_is_done_once_more_at_the_end() -> None:
    """However long that is before its time; then never again."""
    work = Work()
    async with repeating("work", work, 3600):
        assert work.times == 0
    assert work.times == 1
    assert "work" not in {task.get_name() for task in asyncio.all_tasks()}


@pytest.mark.parametrize(
    ("store", "sweeps"), [("memory", True), ("cached:file_system:memory", True), ("file_system", False)]
)
async def test_only_a_store_that_nobody_else_reaches_is_swept_by_the_service(
    tmp_path: Path, store: str, sweeps: bool
) -> None:
    """Any other has its timer; and the sweep ends with the service."""
    app = create_app(Settings(state_dir=tmp_path, store=store), Catalog(MemoryStore()))
    async with app.router.lifespan_context(app):
        assert ("sweep" in {task.get_name() for task in asyncio.all_tasks()}) is sweeps
    assert "sweep" not in {task.get_name() for task in asyncio.all_tasks()}


async def test_what_has_expired_is_removed_from_memory(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """And nothing else; the log tells how many."""
    caplog.set_level(logging.INFO)
    store = MemoryStore()
    store.put(*made(1, expires_at=later(10)))
    store.put(*made(2))
    app = create_app(Settings(state_dir=tmp_path, store="memory"), Catalog(store, clock=lambda: later(10)))
    async with app.router.lifespan_context(app):
        pass
    assert store.ids(10, 0) == [id_of(2)]
    assert "removed 1 expired" in caplog.text
