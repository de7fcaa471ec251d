import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from juniper_canopy.backend import stream
from juniper_canopy.state.live import LiveState
from juniper_canopy.transport import follower as follower_module
from juniper_canopy.transport.broadcaster import Broadcaster
from juniper_canopy.transport.follower import Follower
from juniper_canopy.transport.frames import encode_frame
from juniper_common.wire.datasets import DatasetMeta
from tests.unit.juniper_canopy.fake_backend import SPIRALS, FakeBackend
from tests.unit.juniper_canopy.test_frames import unpack

pytestmark = pytest.mark.anyio

HISTORY = "/v1/metrics/history"
BOUNDARY = "/v1/decision-boundary"
PATTERNS = "/v1/dataset/data"
TOPOLOGY = "/v1/network/topology"
FIRST_OUTPUT_EPOCHS = 30
"""Of the recorded run; its candidate phase follows."""


@contextlib.asynccontextmanager
async def following(backend: FakeBackend, live: LiveState, broadcaster: Broadcaster) -> AsyncIterator[list[str]]:
    """A follower at work; the list grows with each report."""
    reports: list[str] = []
    follower = Follower(backend, live, broadcaster, lambda: reports.append("report"))
    tasks = [asyncio.create_task(follower.follow()), asyncio.create_task(follower.picture())]
    try:
        yield reports
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await backend.close()


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop work until it is so."""
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures and retries without the wait."""
    monkeypatch.setattr(follower_module, "BOUNDARY_PERIOD_S", 0.01)
    monkeypatch.setattr(stream, "FIRST_WAIT_S", 0.01)


async def test_a_new_connection_fetches_what_was_before(
    backend: FakeBackend, live: LiveState, broadcaster: Broadcaster
) -> None:
    """A dashboard that starts in the middle of a run shows all of it."""
    await backend.cascor.start(SPIRALS)
    backend.advance(80)
    async with following(backend, live, broadcaster) as reports:
        await until(lambda: bool(reports))

    assert live.run is not None
    assert live.run.columns.epoch.tolist() == list(range(1, 81))
    assert [unit.epoch for unit in live.run.installations] == [75]
    assert live.topology is not None
    assert live.status is not None and live.status.state_machine.status == "STARTED"


async def test_a_resumed_connection_fetches_nothing(
    backend: FakeBackend, live: LiveState, broadcaster: Broadcaster
) -> None:
    """What was missed has come with the stream."""
    await backend.cascor.start(SPIRALS)
    backend.advance(5)
    async with following(backend, live, broadcaster) as reports:
        await until(lambda: bool(reports))
        backend.service.drop_connections()
        await until(lambda: not live.link_up)
        backend.advance(5)
        await until(lambda: live.run is not None and len(live.run) == 10)

    assert live.link_up
    assert len(backend.way.bodies(HISTORY)) == 1


async def test_nobody_looks_nothing_is_computed(
    backend: FakeBackend, live: LiveState, broadcaster: Broadcaster
) -> None:
    """Without a browser the training service is asked for no boundary."""
    await backend.cascor.start(SPIRALS)
    async with following(backend, live, broadcaster) as reports:
        await until(lambda: bool(reports))
        await asyncio.sleep(0.1)

    assert live.boundary is None
    assert backend.way.bodies(BOUNDARY) == []


async def test_the_boundary_follows_the_network(
    backend: FakeBackend, live: LiveState, broadcaster: Broadcaster
) -> None:
    """It is drawn when somebody looks, and again after a unit was installed."""
    broadcaster.join()
    await backend.cascor.start(SPIRALS)
    async with following(backend, live, broadcaster):
        await until(lambda: live.boundary is not None and live.dataset is not None)
        backend.advance(80)
        await until(lambda: live.boundary is not None and live.boundary.units == 1)


async def test_names_are_those_of_the_dataset(
    backend: FakeBackend, live: LiveState, broadcaster: Broadcaster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The dataset service knows what the dataset, its features and its classes are called."""
    asked: list[str] = []
    names: dict[str, Any] = {
        "dataset_name": "flowers",
        "feature_names": ("petal", "sepal"),
        "class_names": ("iris", "rose"),
    }

    async def get_dataset(dataset_id: str) -> DatasetMeta:
        asked.append(dataset_id)
        return DatasetMeta.model_construct(None, **names)

    monkeypatch.setattr(backend.data, "get_dataset", get_dataset)
    broadcaster.join()
    await backend.cascor.start(SPIRALS)
    async with following(backend, live, broadcaster):
        await until(lambda: live.boundary is not None and live.dataset is not None)
    assert len(asked) == 1
    header: dict[str, Any] = unpack(encode_frame("history", 1, live.everything(), live))[0]
    assert header["dataset"]["title"].startswith("flowers, ")
    assert header["dataset"]["class_names"] == ["iris", "rose"]
    told = (header["dataset"]["names"], header["boundary"]["names"], header["topology"]["input_names"])
    assert told == (["petal", "sepal"],) * 3


async def test_no_more_of_the_patterns_is_asked_for_than_is_drawn(
    backend: FakeBackend, live: LiveState, broadcaster: Broadcaster
) -> None:
    """Two columns: reading thousands of them would keep every page waiting."""
    broadcaster.join()
    await backend.cascor.start(SPIRALS)
    async with following(backend, live, broadcaster):
        await until(lambda: live.dataset is not None)
    (asked,) = (dict(request.url.params) for request in backend.way.sent if request.url.path == PATTERNS)
    assert asked == {"x_feature": "0", "y_feature": "1"}


async def test_a_network_without_a_plane_is_asked_once(
    backend: FakeBackend, live: LiveState, broadcaster: Broadcaster
) -> None:
    """A network of one input: the refusal is the answer, and the pictures after it come all the same."""
    broadcaster.join()
    await backend.cascor.start(SPIRALS)
    backend.way.refused = dict.fromkeys((BOUNDARY, PATTERNS), (422, "y_feature: the network has 1 inputs"))
    async with following(backend, live, broadcaster):
        await until(lambda: len(backend.way.bodies(BOUNDARY)) > 0)
        await asyncio.sleep(0.05)
        assert [len(backend.way.bodies(path)) for path in (BOUNDARY, PATTERNS)] == [1, 1]
        assert (live.boundary, live.dataset) == (None, None)
        backend.advance(80)
        await until(lambda: live.topology is not None and len(live.topology.hidden_units) == 1)


async def test_an_unanswered_question_is_asked_again(
    backend: FakeBackend, live: LiveState, broadcaster: Broadcaster
) -> None:
    """A service that does not answer ends nothing; what is missing comes when it does."""
    broadcaster.join()
    await backend.cascor.start(SPIRALS)
    backend.way.is_cut = True
    async with following(backend, live, broadcaster) as reports:
        await until(lambda: bool(reports))
        await asyncio.sleep(0.05)
        assert live.boundary is None
        backend.way.is_cut = False
        await until(lambda: live.boundary is not None and live.status is not None)


async def test_the_topology_is_fetched_once_when_an_output_phase_is_over(
    backend: FakeBackend, live: LiveState, broadcaster: Broadcaster
) -> None:
    """No message brings the output weights; while the phase lasts, nobody asks for them."""
    broadcaster.join()
    await backend.cascor.start(SPIRALS)
    async with following(backend, live, broadcaster):
        await until(lambda: live.boundary is not None and live.dataset is not None)
        before = len(backend.way.bodies(TOPOLOGY))
        backend.advance(FIRST_OUTPUT_EPOCHS)
        pictures = len(backend.way.bodies(BOUNDARY))
        await until(lambda: len(backend.way.bodies(BOUNDARY)) > pictures)
        assert len(backend.way.bodies(TOPOLOGY)) == before

        backend.advance(10)
        await until(lambda: len(backend.way.bodies(TOPOLOGY)) > before)
        backend.advance(10)
        await until(lambda: live.run is not None and len(live.run) == FIRST_OUTPUT_EPOCHS + 20)
        await asyncio.sleep(0.05)

    assert len(backend.way.bodies(TOPOLOGY)) == before + 1


async def test_nobody_looks_no_topology_is_fetched(
    backend: FakeBackend, live: LiveState, broadcaster: Broadcaster
) -> None:
    """The output weights wait for somebody who wants to see them."""
    await backend.cascor.start(SPIRALS)
    async with following(backend, live, broadcaster) as reports:
        await until(lambda: bool(reports))
        before = len(backend.way.bodies(TOPOLOGY))
        backend.advance(FIRST_OUTPUT_EPOCHS)
        backend.advance(10)
        await until(lambda: live.run is not None and len(live.run) == FIRST_OUTPUT_EPOCHS + 10)
        await asyncio.sleep(0.05)
        assert len(backend.way.bodies(TOPOLOGY)) == before

        broadcaster.join()
        await until(lambda: len(backend.way.bodies(TOPOLOGY)) > before)
