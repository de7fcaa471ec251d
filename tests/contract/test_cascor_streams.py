"""The streams of the training service, against the real service and the fake."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing

import pytest

from juniper_cascor.client import CascorControlStream, CascorTrainingStream, JuniperCascorClient
from juniper_common.http import ClientError, NotFoundError, UnreachableError
from juniper_common.wire.stream import Greeting, StreamMessage
from juniper_common.wire.training import (
    CascadeAdd,
    ChangeParameters,
    MetricsMessage,
    Topology,
    TrainingEvent,
    TrainingStatus,
)
from tests.contract.cascor_world import PACED, SMALL, World, at_rest

pytestmark = pytest.mark.anyio


@pytest.fixture
def client(world: World) -> Iterator[JuniperCascorClient]:
    """A client for threads, with nothing running."""
    with world.client() as client:
        at_rest(client)
        yield client


async def until(messages: AsyncIterator[StreamMessage], kind: str) -> list[StreamMessage]:
    """All messages up to the first of a kind."""
    seen = []
    async for message in messages:
        seen.append(message)
        if message.type == kind:
            return seen
    raise AssertionError(f"the stream ended before {kind}")


async def test_a_run_is_told_from_its_start_to_its_end(client: JuniperCascorClient, world: World) -> None:
    """Every message is of its model, and together they tell what the service answers."""
    async with aclosing(world.stream().messages()) as messages:
        seen = await until(messages, "initial_metrics")
        run_id = client.start(SMALL).run_id
        seen += await until(messages, "event")
    assert [message.type for message in seen[:3]] == ["connection_established", "initial_status", "initial_metrics"]
    assert Greeting.model_validate(seen[0].data).connections >= 1
    of_run = [message for message in seen[3:] if message.run_id == run_id]
    told = {kind: [m.data for m in of_run if m.type == kind] for kind in {message.type for message in of_run}}
    points = [point for data in told["metrics"] for point in MetricsMessage.model_validate(data).points.epoch]
    assert points == [row.epoch for row in client.history(10_000)]
    assert [CascadeAdd.model_validate(data).hidden_unit_index for data in told["cascade_add"]] == [0, 1]
    assert len(Topology.model_validate(told["topology"][-1]).hidden_units) == 2
    assert TrainingStatus.model_validate(told["state"][-1]) == client.status()
    assert TrainingEvent.model_validate(told["event"][0]).outcome == "max_hidden_units"
    assert [message.seq for message in of_run] == sorted(message.seq for message in of_run)


async def test_a_stream_takes_up_where_it_was(client: JuniperCascorClient, world: World) -> None:
    """After a lost connection every message comes once, in order."""
    stream = world.stream()
    async with aclosing(stream.messages()) as messages:
        seen = await until(messages, "initial_metrics")
        client.start(PACED)
        seen += await until(messages, "metrics")
    client.command("pause")
    async with aclosing(stream.messages()) as messages:
        again = await until(messages, "resume_ok")
        client.change(ChangeParameters(pace=200))
        client.command("resume")
        again += await until(messages, "event")
    assert seen[0].type == "connection_established"
    assert again[0].type == "resume_ok"
    sequence = [message.seq for message in seen[3:] + again[1:] if message.type not in ("ping", "pong")]
    assert sequence == list(range(sequence[0], sequence[0] + len(sequence)))


async def test_one_run_is_followed(client: JuniperCascorClient, world: World) -> None:
    """Whatever else happens meanwhile; a run that there is not is said to be none."""
    run_id = client.start(SMALL).run_id
    client.wait(run_id, timeout_s=60)
    async with aclosing(world.stream(run_id).messages()) as messages:
        status = TrainingStatus.model_validate((await until(messages, "initial_status"))[-1].data)
    assert (status.run_id, status.state_machine.status) == (run_id, "COMPLETED")
    with pytest.raises(NotFoundError, match="there is no run 'nothing'"):
        await until(world.stream("nothing").messages(), "event")


async def test_commands_are_carried_out(client: JuniperCascorClient, world: World) -> None:
    """Each response says what was done; a refusal is a response too."""
    async with world.control() as control:
        started = await control.command("start", PACED)
        assert (started.status, started.command) == ("success", "start")
        assert started.result is not None
        assert started.result["run_id"] == client.status().run_id
        assert (await control.command("pause")).result == {
            "status": "PAUSED",
            "run_id": started.result["run_id"],
            "timestamp": pytest.approx(started.result["timestamp"], abs=60),
        }
        changed = await control.command("set_params", ChangeParameters(pace=50))
        assert changed.result is not None
        assert changed.result["pace"] == 50
        assert (await control.command("resume")).status == "success"
        assert (await control.command("stop")).status == "success"
        assert (await control.command("reset")).status == "success"
        refused = await control.command("pause")
        assert (refused.status, refused.error) == ("error", "cannot pause: training is STOPPED")
        wrong = await control.command("start", {"params": {"candidate_pool_size": 0}})
        assert "candidate_pool_size" in (wrong.error or "")


async def test_commands_of_several_tasks_keep_apart(client: JuniperCascorClient, world: World) -> None:
    """Each gets the response to its own."""
    client.start(PACED)
    async with world.control() as control:
        paces = [10.0, 20.0, 30.0]
        answers = await asyncio.gather(*(control.command("set_params", ChangeParameters(pace=pace)) for pace in paces))
    assert [(answer.result or {})["pace"] for answer in answers] == paces


async def test_a_control_stream_that_is_not_open(world: World) -> None:
    """Says what to do."""
    with pytest.raises(ClientError, match="async with"):
        await world.control().command("stop")


async def test_a_service_that_is_away() -> None:
    """Both streams say so."""
    with pytest.raises(UnreachableError, match="ws://"):
        await until(CascorTrainingStream("http://127.0.0.1:1").messages(), "event")
    with pytest.raises(UnreachableError, match="ws://"):
        async with CascorControlStream("http://127.0.0.1:1"):
            pass
