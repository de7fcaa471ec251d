"""Methods made of calls, and clients that wait for a service."""

import asyncio
import inspect
from collections.abc import Callable

import httpx
import pytest

from juniper_common.asking import Ask, AsyncServiceClient, ServiceClient, awaited, sent
from juniper_common.http import Call, ClientError, UnreachableError
from juniper_common.wire.health import Readiness

Answer = Callable[[httpx.Request], httpx.Response]


def word(name: str, *, loud: bool = False) -> Ask[str]:
    """What the service says to a name."""
    return Ask(Call(path=f"/{name}"), lambda response: response.text.upper() if loud else response.text)


class Client(ServiceClient):
    """For threads."""

    word = sent(word)


class AsyncClient(AsyncServiceClient):
    """For event loops."""

    word = awaited(word)


def _echo(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, text=request.url.path)


def _refuse(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused", request=request)


def _unready(_: httpx.Request) -> httpx.Response:
    return httpx.Response(503)


def test_a_method_sends_the_call_and_reads_the_answer() -> None:
    """For threads and for event loops alike."""

    async def answer() -> str:
        async with AsyncClient("http://tiny", transport=httpx.MockTransport(_echo)) as client:
            return await client.word("a", loud=True)

    with Client("http://tiny", transport=httpx.MockTransport(_echo)) as client:
        assert client.word("a") == "/a"
    assert asyncio.run(answer()) == "/A"


def test_a_method_is_documented_as_its_call_is() -> None:
    """With the answer's type in place of the call's."""
    for method in (Client.word, AsyncClient.word):
        assert method.__doc__ == word.__doc__
        assert str(inspect.signature(method)) == "(self, /, name: str, *, loud: bool = False) -> str"


@pytest.mark.parametrize("first", [_refuse, _unready])
def test_a_service_that_becomes_ready_is_waited_for(first: Answer) -> None:
    """Whether it did not answer before, or said that it was not."""
    answers = [first, _echo]
    with Client("http://tiny", transport=httpx.MockTransport(lambda request: answers.pop(0)(request))) as client:
        client.wait_for_ready(30)
    assert answers == []


def test_what_does_not_become_ready_in_time_is_unreachable() -> None:
    """For threads and for event loops alike."""

    async def wait(answer: Answer) -> None:
        async with AsyncClient("http://tiny", transport=httpx.MockTransport(answer)) as client:
            await client.wait_for_ready(0.01)

    for answer in (_refuse, _unready):
        with (
            Client("http://tiny", transport=httpx.MockTransport(answer)) as client,
            pytest.raises(UnreachableError, match=r"http://tiny: not ready within 0\.01 s"),
        ):
            client.wait_for_ready(0.01)
        with pytest.raises(UnreachableError, match="not ready within"):
            asyncio.run(wait(answer))


def _half_well(_: httpx.Request) -> httpx.Response:
    told = {"status": "not_ready", "service": "tiny", "timestamp": "2026-03-01T10:00:00Z", "details": {}}
    store = {"name": "store", "status": "unhealthy", "message": "full"}
    return httpx.Response(503, json={**told, "dependencies": {"store": store}})


async def _asked(answer: Answer) -> Readiness:
    async with AsyncServiceClient("http://tiny", transport=httpx.MockTransport(answer)) as client:
        return await client.readiness()


def test_a_service_that_is_not_ready_says_why() -> None:
    """Its 503 is an answer, not an error."""
    with ServiceClient("http://tiny", transport=httpx.MockTransport(_half_well)) as client:
        readiness = client.readiness()

    assert (readiness.status, readiness.dependencies["store"].message) == ("not_ready", "full")
    assert asyncio.run(_asked(_half_well)) == readiness


@pytest.mark.parametrize(("answer", "kind"), [(_refuse, UnreachableError), (_unready, ClientError)])
def test_who_does_not_say_how_it_is_raises(answer: Answer, kind: type[ClientError]) -> None:
    """Nobody there, or another program."""
    with ServiceClient("http://tiny", transport=httpx.MockTransport(answer)) as client, pytest.raises(kind):
        client.readiness()
    with pytest.raises(kind):
        asyncio.run(_asked(answer))
