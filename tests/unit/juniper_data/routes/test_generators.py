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


async def test_preview_shows_what_would_be_made(http: httpx.AsyncClient) -> None:
    """The figures of the whole set and some samples of it; a drawn seed is told, and nothing is kept."""
    answer = await http.post("/v1/generators/spiral/preview", json={"params": {"n_points": 30, "seed": None}, "n": 6})
    preview = answer.json()
    assert (answer.status_code, preview["n_samples"], len(preview["X_sample"])) == (200, 60, 6)
    assert (preview["class_distribution"], preview["params"]["seed"]) == ({"0": 30, "1": 30}, 1000)
    assert len(preview["profile"]["features"]) == 2
    assert (await http.get("/v1/datasets")).json() == []


@pytest.mark.parametrize(
    ("path", "body", "status", "named"),
    [
        ("spirl", {}, 404, "spiral"),
        ("spiral", {"params": {"noise": 3}}, 400, "noise"),
        ("spiral", {"params": {"nose": 3}}, 400, "nose"),
        ("spiral", {"n": 0}, 422, "n"),
        ("spiral", {"name": "kept"}, 422, "name"),
    ],
)
async def test_preview_is_refused_as_a_create_is(
    http: httpx.AsyncClient, path: str, body: dict[str, object], status: int, named: str
) -> None:
    """With what is wrong, by name."""
    answer = await http.post(f"/v1/generators/{path}/preview", json=body)
    assert answer.status_code == status
    assert named in answer.text
