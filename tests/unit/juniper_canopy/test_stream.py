import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from pydantic import JsonValue
from websockets.asyncio.server import Server, ServerConnection, serve

from juniper_canopy.backend import stream as stream_module
from juniper_canopy.backend.stream import TrainingStream
from juniper_canopy.backend.updates import Alive, Connected, Disconnected, Scored, Update

pytestmark = pytest.mark.anyio

Play = Callable[[ServerConnection], Awaitable[None]]
"""What the service does with one connection."""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries without the wait."""
    monkeypatch.setattr(stream_module, "FIRST_WAIT_S", 0.01)


async def say(socket: ServerConnection, kind: str, seq: int, run_id: str | None = None, **data: JsonValue) -> None:
    """One message of the stream."""
    await socket.send(json.dumps({"type": kind, "timestamp": 0.0, "seq": seq, "run_id": run_id, "data": data}))


async def greet(socket: ServerConnection, instance: str, seq: int = 0) -> None:
    """What the service says first."""
    await say(socket, "connection_established", seq, server_instance_id=instance)
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

    server: Server = await serve(handle, "127.0.0.1", 0)
    try:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await server.wait_closed()


async def hear(url: str, count: int) -> list[Update]:
    """The first updates of a stream."""
    heard: list[Update] = []
    async with asyncio.timeout(10), contextlib.aclosing(TrainingStream(url).updates()) as updates:
        async for update in updates:
            heard.append(update)
            if len(heard) == count:
                break
    return heard


def epochs(updates: list[Update]) -> list[int]:
    """The numbers of the scores among them."""
    return [update.progress.epoch for update in updates if isinstance(update, Scored)]


async def stay(_: ServerConnection) -> None:
    """Keep the connection open."""
    await asyncio.sleep(30)


async def test_a_first_connection_is_not_resumed() -> None:
    """Nothing was heard before, so there is nothing to resume."""

    async def play(socket: ServerConnection) -> None:
        await greet(socket, "one")
        await score(socket, 1)
        await stay(socket)

    async with service(play) as url:
        heard = await hear(url, 2)

    assert heard[0] == Connected(resumed=False)
    assert epochs(heard) == [1]


async def test_a_break_is_resumed_with_what_was_missed() -> None:
    """After a break the service is asked for what it missed; what it repeats counts once."""
    asked: list[JsonValue] = []

    async def breaks(socket: ServerConnection) -> None:
        await greet(socket, "one")
        await score(socket, 1)

    async def resumes(socket: ServerConnection) -> None:
        await greet(socket, "one", seq=3)
        asked.append(json.loads(await socket.recv()))
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
        await score(socket, 3)
        await score(socket, 4)
        await stay(socket)

    async with service(breaks, resumes) as url:
        heard = await hear(url, 7)

    assert asked == [{"type": "resume", "data": {"last_seq": 1, "server_instance_id": "one"}}]
    assert epochs(heard) == [1, 2, 3, 4]
    assert [type(update) for update in heard].count(Disconnected) == 1
    assert Connected(resumed=True) in heard


async def test_a_restarted_service_is_not_resumed() -> None:
    """Another process cannot know what was missed: everything is to be fetched, and its numbers begin anew."""

    async def breaks(socket: ServerConnection) -> None:
        await greet(socket, "one")
        await score(socket, 900)

    async def refuses(socket: ServerConnection) -> None:
        await greet(socket, "two")
        await socket.recv()
        await say(socket, "resume_failed", 0, reason="server_restarted")
        await score(socket, 1)
        await stay(socket)

    async with service(breaks, refuses) as url:
        heard = await hear(url, 5)

    assert [update for update in heard if isinstance(update, Connected)] == [Connected(False), Connected(False)]
    assert epochs(heard) == [900, 1]


async def test_a_ping_does_not_swallow_what_follows() -> None:
    """A ping carries the newest number, while older messages may still be on their way."""

    async def play(socket: ServerConnection) -> None:
        await greet(socket, "one")
        await say(socket, "ping", 5)
        await score(socket, 4)
        await score(socket, 5)
        await stay(socket)

    async with service(play) as url:
        heard = await hear(url, 3)

    assert epochs(heard) == [4, 5]


async def test_a_service_that_is_away_is_tried_again() -> None:
    """A refused connection is told, and is not the end."""

    async def play(socket: ServerConnection) -> None:
        await greet(socket, "one")
        await stay(socket)

    async with service(play) as url:
        free = url
    heard = await hear(free, 2)

    assert all(isinstance(update, Disconnected) for update in heard)


async def test_a_message_of_another_version_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    """What cannot be read is logged, and the stream goes on."""

    async def play(socket: ServerConnection) -> None:
        await greet(socket, "one")
        await say(socket, "candidate_progress", 1, "r", epoch="many")
        await say(socket, "something_new", 2)
        await say(socket, "heartbeat", 3, "r", trainer="alive", epoch=3)
        await stay(socket)

    async with service(play) as url:
        heard = await hear(url, 2)

    assert heard == [Connected(resumed=False), Alive("r")]
    assert "another version" in caplog.text


async def test_what_is_no_message_ends_the_connection() -> None:
    """A stream that is not this stream is left, and tried again later."""

    async def play(socket: ServerConnection) -> None:
        await socket.send("hello")
        await stay(socket)

    async with service(play) as url:
        heard = await hear(url, 1)

    assert isinstance(heard[0], Disconnected)


async def test_silence_ends_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that nobody closed is given up after a while."""
    monkeypatch.setattr(stream_module, "SILENCE_LIMIT_S", 0.05)

    async with service(stay, stay) as url:
        heard = await hear(url, 1)

    assert isinstance(heard[0], Disconnected)
