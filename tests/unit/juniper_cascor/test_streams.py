"""The control stream over connections that fail as the test says."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import orjson
import pytest

from juniper_cascor.streams import CascorControlStream, CascorTrainingStream, Dial
from juniper_common.http import UnreachableError

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """The streams are asyncio's."""
    return "asyncio"


class Scripted:
    """A socket that answers as a function says, and knows whether it was closed."""

    def __init__(self, answer: Callable[[dict[str, object]], list[str]], greeting: str = "") -> None:
        self.is_closed = False
        self._answer = answer
        self._waiting = asyncio.Queue[str]()
        self._waiting.put_nowait(greeting or said("connection_established"))

    async def send(self, message: str) -> None:
        """Have the answers wait."""
        for text in self._answer(orjson.loads(message)):
            self._waiting.put_nowait(text)

    async def recv(self) -> str:
        """The next of them; `lost` is the end."""
        text = await self._waiting.get()
        if text == "lost":
            raise ConnectionResetError("lost")
        return text

    def dial(self) -> Dial:
        """The way to it."""

        @asynccontextmanager
        async def connect(_: str) -> AsyncIterator[Scripted]:
            try:
                yield self
            finally:
                self.is_closed = True

        return connect


def said(kind: str, **data: object) -> str:
    """A message of the service."""
    return orjson.dumps({"type": kind, "seq": 0, "data": data}).decode()


def answered(command_id: object, **more: object) -> str:
    """A response."""
    return said("command_response", command="stop", command_id=command_id, status="success", **more)


async def test_the_answer_of_another_command_is_passed_over() -> None:
    """Whoever gave up waiting for a command may give the next one."""
    socket = Scripted(lambda asked: [answered("other"), answered(asked["command_id"], result={"status": "STOPPED"})])
    async with CascorControlStream("http://cascor", dial=socket.dial()) as control:
        assert (await control.command("stop")).result == {"status": "STOPPED"}
    assert socket.is_closed


async def test_a_connection_that_is_lost_is_told() -> None:
    """In the middle of a command, which may have been carried out."""
    socket = Scripted(lambda _: ["lost"])
    async with CascorControlStream("http://cascor", dial=socket.dial()) as control:
        with pytest.raises(UnreachableError, match="lost"):
            await control.command("stop")


async def test_an_answer_that_does_not_come_is_told() -> None:
    """After the time that a command may take."""
    socket = Scripted(lambda _: [])
    async with CascorControlStream("http://cascor", timeout_s=0.01, dial=socket.dial()) as control:
        with pytest.raises(UnreachableError, match="TimeoutError"):
            await control.command("stop")


async def test_who_does_not_greet_is_left() -> None:
    """Something else listens there."""
    socket = Scripted(lambda _: [], greeting="hello")
    with pytest.raises(UnreachableError, match="not a message of the training service"):
        async with CascorControlStream("http://cascor", dial=socket.dial()):
            pass
    assert socket.is_closed


@pytest.mark.parametrize(
    ("url", "run_id", "address"),
    [
        ("http://host:1/", None, "ws://host:1/ws/training"),
        ("https://host", "a b", "wss://host/ws/training?run=a+b"),
    ],
)
async def test_the_address_of_a_stream(url: str, run_id: str | None, address: str) -> None:
    """That of the service, encrypted where it is."""
    asked: list[str] = []

    @asynccontextmanager
    async def dial(given: str) -> AsyncIterator[Scripted]:
        asked.append(given)
        yield Scripted(lambda _: [], greeting="lost")

    with pytest.raises(UnreachableError):
        await anext(CascorTrainingStream(url, run_id=run_id, dial=dial).messages())
    assert asked == [address]
