"""Both clients against services that answer as the test says."""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from typing import Literal
from urllib.parse import unquote

import httpx
import pytest
import stamina
from pydantic import JsonValue
from starlette.responses import Response

from juniper_common.http import (
    PIECE_BYTES,
    AsyncHttpClient,
    AuthenticationError,
    Call,
    ClientError,
    ConflictError,
    HttpClient,
    InvalidRequestError,
    NotFoundError,
    RateLimitedError,
    Receiver,
    ResponseError,
    ServerError,
    TimedOutError,
    UnreachableError,
    relay,
    relayed,
    segment,
)
from tests.serving import served

Answer = Callable[[httpx.Request], httpx.Response]
Send = Callable[[Answer, Call], httpx.Response]
Receive = Callable[[Answer, Receiver], None]

ATTEMPTS = 3


@pytest.fixture(autouse=True)
def _no_pauses() -> Iterator[None]:
    """Tries follow each other at once."""
    with stamina.set_testing(True, attempts=ATTEMPTS, cap=True):
        yield


class Gathered:
    """A Receiver that keeps what comes, and asks for the rest of it."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self.content = b""

    def call(self) -> Call:
        """Say how much there is already."""
        return replace(self._call, headers={"From": str(len(self.content))})

    def begin(self, response: httpx.Response) -> None:
        """Refuse what is no answer."""
        if response.headers.get("strange"):
            raise ClientError("strange")

    def take(self, piece: bytes) -> None:
        """Keep it."""
        self.content += piece


def _receive(answer: Answer, receiver: Receiver) -> None:
    with HttpClient("http://tiny", transport=httpx.MockTransport(answer)) as client:
        client.receive(receiver)


def _receive_async(answer: Answer, receiver: Receiver) -> None:
    async def receive() -> None:
        async with AsyncHttpClient("http://tiny", transport=httpx.MockTransport(answer)) as client:
            await client.receive(receiver)

    asyncio.run(receive())


def _send(answer: Answer, call: Call) -> httpx.Response:
    with HttpClient("http://tiny", api_key="k", transport=httpx.MockTransport(answer)) as client:
        return client.send(call)


def _send_async(answer: Answer, call: Call) -> httpx.Response:
    async def send() -> httpx.Response:
        async with AsyncHttpClient("http://tiny", api_key="k", transport=httpx.MockTransport(answer)) as client:
            return await client.send(call)

    return asyncio.run(send())


@pytest.fixture(params=[_send, _send_async], ids=["threads", "event loop"])
def send(request: pytest.FixtureRequest) -> Send:
    """Sends a call with one of the two clients."""
    chosen: Send = request.param
    return chosen


@pytest.fixture(params=[_receive, _receive_async], ids=["threads", "event loop"])
def receive(request: pytest.FixtureRequest) -> Receive:
    """Receives an answer with one of the two clients."""
    chosen: Receive = request.param
    return chosen


class Service:
    """Gives one answer after the other, the last one for ever; keeps what it was asked."""

    def __init__(self, *answers: int | type[Exception]) -> None:
        self.answers = list(answers)
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Give the next answer."""
        self.asked.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, int):
            return httpx.Response(answer, json={"detail": "so it is"})
        raise answer("no answer")


def test_call_is_sent_whole(send: Send) -> None:
    """Method, path, query, body, headers and key."""
    service = Service(200)
    call = Call(method="POST", path="/v1/x", json={"a": [1]}, params={"n": 2}, headers={"If-None-Match": "e"})
    send(service, call)
    (request,) = service.asked
    assert (request.method, str(request.url), request.content) == ("POST", "http://tiny/v1/x?n=2", b'{"a":[1]}')
    assert request.headers["x-api-key"] == "k"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["if-none-match"] == "e"


@pytest.mark.parametrize("value", [2**64, "\ud800"])
def test_what_no_service_can_read_is_sent_all_the_same(send: Send, value: JsonValue) -> None:
    """A number of too many bits, half a sign: the service refuses it, in its words."""
    seen: list[JsonValue] = []

    def service(request: httpx.Request) -> httpx.Response:
        seen.append(json.loads(request.content))
        return httpx.Response(200)

    send(service, Call(method="POST", path="/x", json={"value": value}))

    assert seen == [{"value": value}]


def test_call_without_a_body_names_no_type(send: Send) -> None:
    """Nothing is sent that nobody asked for."""
    service = Service(200)
    send(service, Call(path="/"))
    assert "content-type" not in service.asked[0].headers


@pytest.mark.parametrize("text", ["..", ".", "a/b", "a?b#c", "%2e%2e", "é\0\r\n", "a.b"])
def test_a_word_is_one_segment_of_a_path(send: Send, text: str) -> None:
    """Whatever it is: none leads to another resource."""
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.raw_path.decode())
        return httpx.Response(200)

    send(answer, Call(path=f"/v1/runs/{segment(text)}/metrics"))
    before, name, rest = asked[0].removeprefix("/v1").removeprefix("/").split("/")
    assert (before, unquote(name), rest) == ("runs", text, "metrics")


def test_without_a_key_none_is_sent() -> None:
    """An empty one would be a wrong one."""
    service = Service(200)
    with HttpClient("http://tiny", transport=httpx.MockTransport(service)) as client:
        client.send(Call(path="/"))
    assert "x-api-key" not in service.asked[0].headers


@pytest.mark.parametrize("status", [200, 201, 204, 304])
def test_success_is_returned(send: Send, status: int) -> None:
    """And so is the answer that what the caller has is still good."""
    assert send(Service(status), Call(path="/")).status_code == status


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InvalidRequestError),
        (413, InvalidRequestError),
        (422, InvalidRequestError),
        (401, AuthenticationError),
        (403, AuthenticationError),
        (404, NotFoundError),
        (409, ConflictError),
        (429, RateLimitedError),
        (500, ServerError),
        (503, ServerError),
        (307, ResponseError),
        (418, ResponseError),
    ],
)
def test_refusal_is_the_error_of_its_status(send: Send, status: int, kind: type[ResponseError]) -> None:
    """With the status and the service's words."""
    with pytest.raises(ResponseError) as refused:
        send(Service(status), Call(path="/"))
    assert type(refused.value) is kind
    assert (refused.value.status, refused.value.message, refused.value.detail) == (status, "so it is", "so it is")
    assert str(refused.value) == "so it is"


FIELDS = [{"loc": ["params", "noise"], "msg": "too large", "type": "x"}, {"loc": [], "msg": "no", "type": "x"}]


@pytest.mark.parametrize(
    ("body", "message", "detail"),
    [
        (b'{"detail": "full"}', "full", "full"),
        ({"detail": FIELDS}, "params.noise: too large; body: no", FIELDS),
        (
            {"status": "error", "error": {"code": "X", "message": "refused", "detail": FIELDS}, "meta": {}},
            "refused",
            FIELDS,
        ),
        ({"error": {"code": "X"}}, "422 Unprocessable Entity", None),
        ({"error": "full"}, "full", "full"),
        ({"detail": [{"loc": 1}]}, "[{'loc': 1}]", [{"loc": 1}]),
        ({"detail": None}, "422 Unprocessable Entity", None),
        ({}, "422 Unprocessable Entity", None),
        ([], "422 Unprocessable Entity", []),
        (b"<html>", "422 Unprocessable Entity", None),
        (b"", "422 Unprocessable Entity", None),
    ],
)
def test_words_of_a_refusal(send: Send, body: object, message: str, detail: object) -> None:
    """With an envelope or without, each field by its path; the status line where nothing was said."""
    answer = httpx.Response(422, content=body) if isinstance(body, bytes) else httpx.Response(422, json=body)
    with pytest.raises(InvalidRequestError) as refused:
        send(lambda _: answer, Call(path="/"))
    assert (refused.value.message, refused.value.detail) == (message, detail)


@pytest.mark.parametrize(
    "error", [httpx.ConnectError, httpx.ReadTimeout, httpx.RemoteProtocolError, httpx.DecodingError]
)
def test_no_answer_is_unreachable(send: Send, error: type[Exception]) -> None:
    """Whatever stood between, with the address that did not answer."""
    with pytest.raises(UnreachableError, match=r"http://tiny.*no answer") as unreachable:
        send(Service(error), Call(path="/"))
    assert isinstance(unreachable.value, ClientError)


def test_an_error_without_words_is_called_by_its_name(send: Send) -> None:
    """As errors on the way often are."""

    def answer(_: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("")

    with pytest.raises(UnreachableError, match="http://tiny: ReadError"):
        send(answer, Call(path="/"))


@pytest.mark.parametrize("error", [httpx.ReadTimeout, httpx.ConnectTimeout, httpx.PoolTimeout])
def test_no_answer_in_time_is_told_from_none_at_all(send: Send, error: type[Exception]) -> None:
    """It may be doing what it was asked."""
    with pytest.raises(TimedOutError, match="http://tiny: no answer in time"):
        send(Service(error), Call(path="/"))


def test_a_silent_service_is_asked_once_where_nobody_would_wait_longer() -> None:
    """However many tries there may be: each would take as long as the first."""

    async def send(url: str) -> None:
        async with AsyncHttpClient(url, timeout_s=0.2, retry_for_s=0.1) as client:
            await client.send(Call(path="/"))

    with socket.create_server(("127.0.0.1", 0)) as silent, stamina.set_testing(False):
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(TimedOutError):
            asyncio.run(send(url))
        with HttpClient(url, timeout_s=0.2, retry_for_s=0.1) as client, pytest.raises(TimedOutError):
            client.send(Call(path="/"))
        silent.settimeout(0)
        asked = [silent.accept()[0] for _ in range(2)]
        with pytest.raises(BlockingIOError):
            silent.accept()
        for connection in asked:
            connection.close()


@pytest.mark.parametrize(
    ("call", "answer", "tries"),
    [
        # What reads, or ends the same when it is sent twice, is repeated whatever the service's trouble is.
        (Call(path="/"), 500, ATTEMPTS),
        (Call(path="/"), 503, ATTEMPTS),
        (Call(path="/"), 429, ATTEMPTS),
        (Call(path="/"), httpx.ReadTimeout, ATTEMPTS),
        (Call(method="DELETE", path="/"), 503, ATTEMPTS),
        (Call(method="POST", path="/", idempotent=True), 503, ATTEMPTS),
        (Call(method="POST", path="/", idempotent=True), httpx.ReadTimeout, ATTEMPTS),
        # What does something each time is not, once the service may have begun.
        (Call(method="POST", path="/"), 503, 1),
        (Call(method="PATCH", path="/"), httpx.ReadTimeout, 1),
        (Call(path="/", idempotent=False), 503, 1),
        # It is where the service surely did nothing.
        (Call(method="POST", path="/"), 429, ATTEMPTS),
        (Call(method="POST", path="/"), httpx.ConnectError, ATTEMPTS),
        # What will not get better is never repeated.
        (Call(path="/"), 404, 1),
        (Call(path="/"), 400, 1),
        (Call(path="/"), 501, 1),
        (Call(path="/"), 507, 1),
    ],
)
def test_call_is_repeated_only_where_that_is_safe(
    send: Send, call: Call, answer: int | type[Exception], tries: int
) -> None:
    """By what is sent, and by what went wrong."""
    service = Service(answer)
    with pytest.raises(ClientError):
        send(service, call)
    assert len(service.asked) == tries


def test_later_success_is_a_success(send: Send) -> None:
    """Nobody hears of the tries before."""
    service = Service(503, httpx.ConnectError, 200)
    assert send(service, Call(path="/")).status_code == 200
    assert len(service.asked) == 3


def _too_often(retry_after: str) -> httpx.Response:
    return httpx.Response(429, headers={"Retry-After": retry_after}, json={"detail": "too often"})


def test_the_service_says_when_to_ask_again(send: Send) -> None:
    """Whoever asked too often waits for as long as the service wants, a POST too: it was not heard."""
    answers = [_too_often("1"), httpx.Response(200)]
    with stamina.set_testing(False):
        began = time.monotonic()
        assert send(lambda _: answers.pop(0), Call(method="POST", path="/")).is_success
    assert time.monotonic() - began >= 1


def test_a_pause_that_nobody_waits_for_is_told(send: Send) -> None:
    """The caller decides what to do meanwhile."""
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return _too_often("3600")

    with pytest.raises(RateLimitedError) as refused:
        send(answer, Call(path="/"))
    assert (refused.value.retry_after_s, len(asked)) == (3600, 1)


def test_a_date_to_come_back_at_is_passed_over(send: Send) -> None:
    """The usual pause is made."""
    answers = [_too_often("Wed, 21 Oct 2026 07:28:00 GMT"), httpx.Response(200)]
    assert send(lambda _: answers.pop(0), Call(path="/")).is_success


def test_no_proxy_is_asked_for_a_service_of_this_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the environment names for the world outside."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")

    async def send(url: str) -> httpx.Response:
        async with AsyncHttpClient(url, attempts=1) as client:
            return await client.send(Call(path="/"))

    with served(Response()) as url:
        with HttpClient(url, attempts=1) as client:
            assert client.send(Call(path="/")).is_success
        assert asyncio.run(send(url)).is_success


class CutOff(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body of which the end is lost."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        yield from self._pieces
        raise httpx.ReadError("cut off")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self:
            yield piece


def test_a_streamed_body_is_sent_anew_with_each_try(send: Send) -> None:
    """Whole, with the length and type that were said."""
    bodies: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        assert (request.headers["content-length"], request.headers["content-type"]) == ("6", "text/csv")
        assert "transfer-encoding" not in request.headers
        bodies.append(request.content)
        return httpx.Response(200 if len(bodies) == 2 else 503)

    headers = {"Content-Length": "6", "Content-Type": "text/csv"}
    call = Call(method="POST", path="/", headers=headers, content=lambda: iter([b"abc", b"def"]), idempotent=True)
    assert send(answer, call).is_success
    assert bodies == [b"abcdef"] * 2


def test_an_answer_goes_on_where_it_was_cut_off(receive: Receive) -> None:
    """The receiver says what is still wanted; neither a lost connection nor a refusal in between costs anything."""
    piece = b"x" * PIECE_BYTES
    answers = [
        httpx.Response(200, stream=CutOff(piece, b"less than a piece is not handed over")),
        httpx.Response(503),
        httpx.Response(206, content=b"rest"),
    ]
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers["from"])
        return answers.pop(0)

    receiver = Gathered(Call(path="/"))
    receive(answer, receiver)
    assert (receiver.content, asked) == (piece + b"rest", ["0", str(PIECE_BYTES), str(PIECE_BYTES)])


@pytest.mark.parametrize(("method", "tries"), [("GET", ATTEMPTS), ("POST", 1)])
def test_an_answer_that_is_never_whole_is_unreachable(
    receive: Receive, method: Literal["GET", "POST"], tries: int
) -> None:
    """After as many tries as are safe."""
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, stream=CutOff())

    with pytest.raises(UnreachableError, match="http://tiny: cut off"):
        receive(answer, Gathered(Call(method=method, path="/")))
    assert len(asked) == tries


def test_a_refusal_is_no_answer_to_receive(receive: Receive) -> None:
    """It is the error of its status, with the service's words."""
    receiver = Gathered(Call(path="/"))
    with pytest.raises(NotFoundError, match="so it is"):
        receive(Service(404), receiver)
    assert receiver.content == b""


def test_what_the_receiver_refuses_is_not_asked_for_again(receive: Receive) -> None:
    """Its error is the caller's."""
    answers = [httpx.Response(200, headers={"strange": "1"}, content=b"abc")]
    with pytest.raises(ClientError, match="strange"):
        receive(lambda _: answers.pop(0), Gathered(Call(path="/")))


def test_a_streamed_answer_is_read_as_it_comes() -> None:
    """Its head is there before its body; a refusal is the error of its status."""

    async def main() -> bytes:
        async with AsyncHttpClient("http://tiny", transport=httpx.MockTransport(_file)) as client:
            with pytest.raises(NotFoundError, match="nothing"):
                await relay(client, Call(path="/nothing"))
            answer = await relay(client, Call(path="/file"))
            assert not answer.is_stream_consumed
            pieces = [piece async for piece in relayed(answer)]
            assert answer.is_closed
            return b"".join(pieces)

    assert asyncio.run(main()) == b"all of it"


def test_a_streamed_answer_that_is_cut_off_is_an_error() -> None:
    """Its end is not taken for the whole; it is closed."""

    async def main() -> None:
        transport = httpx.MockTransport(lambda _: httpx.Response(200, stream=CutOff(b"a piece")))
        async with AsyncHttpClient("http://tiny", transport=transport) as client:
            answer = await relay(client, Call(path="/file"))
            with pytest.raises(UnreachableError, match="http://tiny/file: cut off"):
                [piece async for piece in relayed(answer)]
            assert answer.is_closed

    asyncio.run(main())


def _file(request: httpx.Request) -> httpx.Response:
    if request.url.path == "/file":
        return httpx.Response(200, content=_all_of_it())
    return httpx.Response(404, json={"detail": "there is nothing"})


async def _all_of_it() -> AsyncIterator[bytes]:
    yield b"all "
    yield b"of it"
