"""The clients of the training service against the real service."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from juniper_cascor.client import AsyncJuniperCascorClient, CascorTrainingStream, JuniperCascorClient
from juniper_common.http import ConflictError, InvalidRequestError, NotFoundError, UnreachableError
from juniper_common.wire.stream import StreamMessage
from juniper_common.wire.training import (
    ChangeParameters,
    CreateNetwork,
    DatasetSource,
    RunParameters,
    StartTraining,
)

CMU = StartTraining(dataset=DatasetSource(generator="cmu_spirals"), params=RunParameters(seed=1), start_fresh=True)
PACED = CMU.model_copy(update={"params": RunParameters(seed=1, pace=200)})


@pytest.fixture
def client(cascor_service: str) -> Iterator[JuniperCascorClient]:
    """A client of the real service, with nothing running."""
    with JuniperCascorClient(cascor_service) as client:
        client.wait_for_ready()
        if client.status().training_active:
            client.command("stop")
        client.command("reset")
        yield client


async def until(messages: AsyncIterator[StreamMessage], kind: str) -> list[StreamMessage]:
    """All messages up to the first of a kind."""
    seen = []
    async for message in messages:
        seen.append(message)
        if message.type == kind:
            return seen
    raise AssertionError(f"the stream ended before {kind}")


def test_a_run_from_network_to_record(client: JuniperCascorClient) -> None:
    """Every call of the sync client."""
    created = client.create_network(CreateNetwork(max_hidden_units=3))
    assert client.network() == created
    assert created.max_hidden_units == 3
    started = client.start(PACED.model_copy(update={"start_fresh": False}))
    assert client.command("pause").status == "PAUSED"
    assert client.change(ChangeParameters(pace=None)).pace is None
    assert client.command("resume").run_id == started.run_id
    while client.status().training_active:
        pass
    record = client.run(started.run_id)
    assert (record.outcome, record.hidden_units) == ("max_hidden_units", 3)
    assert client.runs(limit=1).runs[0].id == record.id
    assert len(client.topology().hidden_units) == 3
    assert client.history(5)[-1].epoch == record.epochs
    assert client.decision_boundary(10).resolution == 10
    assert client.snapshots(limit=1).snapshots[0].run_id == started.run_id
    client.delete_network()
    with pytest.raises(NotFoundError):
        client.network()


def test_the_services_reasons_arrive(client: JuniperCascorClient) -> None:
    """Each refusal is an error of its own class, with the service's words."""
    with pytest.raises(ConflictError, match="cannot pause: training is STOPPED"):
        client.command("pause")
    wrong = StartTraining(params=RunParameters(candidate_pool_size=0))
    with pytest.raises(InvalidRequestError, match="candidate_pool_size") as caught:
        client.start(wrong)
    assert caught.value.status == 422


def test_the_async_client(client: JuniperCascorClient, cascor_service: str) -> None:
    """Every call of the async client."""

    async def go() -> None:
        async with AsyncJuniperCascorClient(cascor_service) as http:
            assert await http.is_ready()
            started = await http.start(PACED)
            while not await http.history(3):
                pass
            assert (await http.command("pause")).status == "PAUSED"
            assert (await http.change(ChangeParameters(pace=50))).pace == 50
            assert (await http.status()).run_id == started.run_id
            assert (await http.dataset()).n_train == len((await http.dataset_data()).train_x) == 194
            assert (await http.stats()).total_hidden_units == len((await http.topology()).hidden_units)
            assert (await http.decision_boundary(5)).run_id == started.run_id
            assert (await http.command("stop")).status == "STOPPED"

    asyncio.run(go())
    assert client.status().training_state.reason == "stopped by command"


def test_the_stream_takes_up_where_it_was(client: JuniperCascorClient, cascor_service: str) -> None:
    """After a lost connection every message comes once, in order."""

    async def go() -> list[StreamMessage]:
        stream = CascorTrainingStream(cascor_service)
        messages = stream.messages()
        seen = await until(messages, "initial_metrics")
        client.start(PACED)
        seen += await until(messages, "cascade_add")
        await messages.aclose()  # type: ignore[attr-defined] # an async generator's
        client.command("pause")
        messages = stream.messages()
        again = await until(messages, "resume_ok")
        client.change(ChangeParameters(pace=None))
        client.command("resume")
        again += await until(messages, "event")
        await messages.aclose()  # type: ignore[attr-defined]
        assert seen[0].type == "connection_established"
        assert again[0].type == "resume_ok"
        return [message for message in seen + again[1:] if not message.type.startswith(("initial", "connection"))]

    sequence = [message.seq for message in asyncio.run(go())]
    assert sequence == list(range(sequence[0], sequence[0] + len(sequence)))


def test_a_service_that_is_away() -> None:
    """Clients and stream say so, and no more."""
    with JuniperCascorClient("http://127.0.0.1:1", attempts=1) as client:
        assert not client.is_ready()
        with pytest.raises(UnreachableError, match=r"127\.0\.0\.1:1"):
            client.status()
        with pytest.raises(UnreachableError, match=r"not ready within 0\.1 s"):
            client.wait_for_ready(timeout_s=0.1)

    async def watch() -> None:
        await until(CascorTrainingStream("http://127.0.0.1:1").messages(), "event")

    with pytest.raises(UnreachableError, match="ws://"):
        asyncio.run(watch())
