import logging
from pathlib import Path

import httpx
import numpy as np
import pytest

from juniper_data.app import create_app
from juniper_data.catalog import Catalog
from juniper_data.generators import Generator, GeneratorParameters, LabelledPoints
from juniper_data.settings import Settings
from juniper_data.stores.protocol import DatasetStore

pytestmark = pytest.mark.anyio


async def test_mistake_in_a_generator_is_answered_with_its_name(
    store: DatasetStore, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever asks learns whose mistake it is, the log has where it was made, and nothing is stored."""

    def fail(_: GeneratorParameters, __: np.random.Generator) -> LabelledPoints:
        return LabelledPoints(np.full((3, 1), np.nan), np.zeros(3, int), 1)

    own = Generator("own", "1.0.0", "Somebody's own", GeneratorParameters, fail)
    app = create_app(Settings(state_dir=tmp_path / "state"), Catalog(store, generators={"own": own}))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as http:
        with caplog.at_level(logging.ERROR):
            answer = await http.post("/v1/datasets", json={"generator": "own"})
    assert answer.status_code == 500
    assert answer.json()["detail"].startswith("the generator 'own' is broken: ValueError: X has a number")
    assert "Traceback" in caplog.text
    assert store.ids(10, 0) == []
