from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from juniper_data.app import create_app
from juniper_data.catalog import Catalog
from juniper_data.generators.xor import XOR
from juniper_data.settings import Settings
from juniper_data.stores.protocol import DatasetStore

pytestmark = pytest.mark.anyio


async def test_generators_are_listed_with_their_schemas(http: httpx.AsyncClient) -> None:
    """The list has the contract's fields, and each schema is the one at its own address."""
    generators = (await http.get("/v1/generators")).json()
    names = [generator["name"] for generator in generators]
    assert {"cmu_spirals", "spiral", "xor"} <= set(names)
    assert names == sorted(names)
    for generator in generators:
        assert set(generator) == {"name", "version", "description", "schema", "available", "install_hint"}
        assert generator["available"]
        schema = (await http.get(f"/v1/generators/{generator['name']}/schema")).json()
        assert schema == generator["schema"]


async def test_schema_of_no_generator_is_404(http: httpx.AsyncClient) -> None:
    """An unknown generator has no schema."""
    answer = await http.get("/v1/generators/nope/schema")
    assert (answer.status_code, "cmu_spirals" in answer.json()["detail"]) == (404, True)


async def test_generator_that_lacks_something_is_listed_with_what_to_install(
    store: DatasetStore, tmp_path: Path
) -> None:
    """Who looks at the list learns what to do before it can be used."""
    lacking = replace(XOR, install_hint="pip install more")
    app = create_app(Settings(state_dir=tmp_path / "state"), Catalog(store, generators={"xor": lacking}))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
        (told,) = (await client.get("/v1/generators")).json()
    assert (told["available"], told["install_hint"]) == (False, "pip install more")
