import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from pydantic import JsonValue, ValidationError
from websockets.asyncio.server import ServerConnection, serve

from juniper_canopy.backend import stream
from juniper_canopy.backend.updates import Alive, Connected, Disconnected, Scored, Update
from juniper_cascor.client import CascorTrainingStream
from juniper_common.wire.training import Points

pytestmark = pytest.mark.anyio

Play = Callable[[ServerConnection], Awaitable[None]]
"""What the service does with one connection."""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries without the wait."""
    monkeypatch.setattr(stream, "FIRST_WAIT_S", 0.01)


async def say(socket: ServerConnection, kind: str, seq: int, run_id: str | None = None, **data: JsonValue) -> None:
    """One message of the stream."""
    await socket.send(json.dumps({"type": kind, "timestamp": 0.0, "seq": seq, "run_id": run_id, "data": data}))


async def greet(socket: ServerConnection, instance: str, seq: int = 0) -> None:
    """What the service says first."""
    await say(socket, "connection_established", seq, server_instance_id=instance, connections=1)
    await say(socket, "initial_metrics", seq, metrics=[])


async def score(socket: ServerConnection, seq: int) -> None:
    """A message that can be told from others: its epoch is its number."""
    await say(socket, "candidate_progress", seq, "r", epoch=seq, scores=[0.5, None], best_score=0.5)


@contextlib.asynccontextmanager
async def service(*plays: Play) -> AsyncIterator[str]:
    """A training service that plays one script per connection; its address."""
    scripts = iter(plays)

    async def handle(socket: ServerConnection) -> None:
        await next(scripts)(socket)

    async with serve(handle, "127.0.0.1", 0, close_timeout=0.1) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def hear(url: str, count: int) -> list[Update]:
    """The first updates of a stream."""
    heard: list[Update] = []
    updates = stream.follow(CascorTrainingStream(url))
    async with asyncio.timeout(10):
        while len(heard) < count:
            heard.append(await anext(updates))
    return heard


def epochs(updates: list[Update]) -> list[int]:
    """The numbers of the scores among them."""
    return [update.progress.epoch for update in updates if isinstance(update, Scored)]


async def until_closed(socket: ServerConnection) -> None:
    """Keep the connection for as long as the other side wants it."""
    await socket.wait_closed()


async def test_a_first_connection_is_not_resumed() -> None:
    """Nothing was heard before, so everything is to be fetched."""

    async def play(socket: ServerConnection) -> None:
        await greet(socket, "one")
        await score(socket, 1)
        await until_closed(socket)

    async with service(play) as url:
        heard = await hear(url, 2)

    assert heard[0] == Connected(resumed=False)
    assert epochs(heard) == [1]


async def test_a_break_is_told_and_resumed_with_what_was_missed() -> None:
    """After a break come the messages in between, once each, and then the new ones."""

    async def breaks(socket: ServerConnection) -> None:
        await greet(socket, "one")
        await score(socket, 1)

    async def resumes(socket: ServerConnection) -> None:
        await greet(socket, "one", seq=3)
        await socket.recv()
        missed: list[JsonValue] = [
            {
                "type": "candidate_progress",
                "seq": seq,
                "run_id": "r",
                "data": {"epoch": seq, "scores": [], "best_score": None},
            }
            for seq in (2, 3)
        ]
        await say(socket, "resume_ok", 3, last_seq=3, replayed=2, messages=missed)
        await score(socket, 4)
        await until_closed(socket)

    async with service(breaks, resumes) as url:
        heard = await hear(url, 7)

    assert [type(update) for update in heard[:4]] == [Connected, Scored, Disconnected, Connected]
    assert heard[3] == Connected(resumed=True)
    assert epochs(heard) == [1, 2, 3, 4]


async def test_a_restarted_service_is_not_resumed() -> None:
    """Another process cannot know what was missed: everything is to be fetched."""

    async def breaks(socket: ServerConnection) -> None:
        await greet(socket, "one")
        await score(socket, 900)

    async def refuses(socket: ServerConnection) -> None:
        await greet(socket, "two")
        await socket.recv()
        await say(socket, "resume_failed", 0, reason="server_restarted")
        await score(socket, 1)
        await until_closed(socket)

    async with service(breaks, refuses) as url:
        heard = await hear(url, 5)

    assert [update for update in heard if isinstance(update, Connected)] == [Connected(False), Connected(False)]
    assert epochs(heard) == [900, 1]


async def test_a_service_that_is_away_is_tried_again() -> None:
    """A refused connection is told, and is not the end."""
    async with service() as url:
        closed = url

    heard = await hear(closed, 2)

    assert all(isinstance(update, Disconnected) for update in heard)


async def test_a_message_of_another_version_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    """What cannot be read is logged, and the stream goes on."""

    async def play(socket: ServerConnection) -> None:
        await greet(socket, "one")
        await say(socket, "candidate_progress", 1, "r", epoch="many")
        await say(socket, "something_new", 2, "r")
        await say(socket, "heartbeat", 3, "r", trainer="alive", epoch=3)
        await until_closed(socket)

    async with service(play) as url:
        heard = await hear(url, 2)

    assert heard == [Connected(resumed=False), Alive("r")]
    assert "another version" in caplog.text


def test_points_of_unequal_length_are_no_message() -> None:
    """They would end whoever lays them side by side."""
    columns: dict[str, JsonValue] = {name: [1] for name in Points.model_fields}
    with pytest.raises(ValidationError, match="equal length"):
        Points.model_validate(columns | {"val_loss": []})
