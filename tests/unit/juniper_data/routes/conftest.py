from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from juniper_data.app import create_app
from juniper_data.catalog import Catalog
from juniper_data.settings import Settings


@pytest.fixture
def app(catalog: Catalog, tmp_path: Path) -> Starlette:
    """The service on an empty store."""
    return create_app(Settings(state_dir=tmp_path / "state"), catalog)


@pytest.fixture
async def http(app: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    """A browser without a browser."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        yield client
