"""What the services' HTTP clients have in common: errors per status, retries where repeating is safe, timeouts.

ClientError
├── UnreachableError        no answer: refused, cut off
│   └── TimedOutError         none in time
└── ResponseError           an answer that is not success, with its status and detail
    ├── InvalidRequestError   400, 413, 422
    ├── AuthenticationError   401, 403
    ├── NotFoundError         404
    ├── ConflictError         409
    ├── RateLimitedError      429
    └── ServerError           5xx
"""

import asyncio
import json
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import ClassVar, Literal, Protocol, Self
from urllib.parse import quote

import httpx
import orjson
import stamina
from pydantic import JsonValue, TypeAdapter, ValidationError

from juniper_common.tls import Verify, client_context
from juniper_common.wire.errors import FieldProblem

PIECE_BYTES = 1 << 20
"""What is too large to be held goes in and out in pieces of this size."""

IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE"})
Params = Mapping[str, str | int | float | bool]

RETRY_FOR_S = 45.0
"""So long tries are begun, however many there may be."""

LONGEST_RETRY_AFTER_S = 30.0
"""Whoever is told to wait longer than this is told so at once, and decides."""

_PROBLEMS = TypeAdapter(list[FieldProblem])


class ClientError(Exception):
    """A call did not succeed."""


class UnreachableError(ClientError):
    """The service did not answer."""


class TimedOutError(UnreachableError):
    """The service did not answer in time: it may be doing what it was asked."""


class ResponseError(ClientError):
    """The service refused: `status` and `detail` as it said them, and after how long it wants to be asked again."""

    statuses: ClassVar[frozenset[int]] = frozenset()

    def __init__(
        self, status: int, message: str, detail: JsonValue = None, *, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.detail = detail
        self.retry_after_s = retry_after_s


class InvalidRequestError(ResponseError):
    """The request makes no sense for the service."""

    statuses = frozenset({400, 413, 422})


class AuthenticationError(ResponseError):
    """A key is missing or wrong."""

    statuses = frozenset({401, 403})


class NotFoundError(ResponseError):
    """There is no such thing."""

    statuses = frozenset({404})


class ConflictError(ResponseError):
    """Not in this state."""

    statuses = frozenset({409})


class RateLimitedError(ResponseError):
    """Too many calls."""

    statuses = frozenset({429})


class ServerError(ResponseError):
    """The service failed."""

    statuses = frozenset(range(500, 600))
    lasting: ClassVar[frozenset[int]] = frozenset({501, 505, 507})
    """What is no better in a moment: what it cannot do, and a full disk."""


def raise_for_status(response: httpx.Response) -> httpx.Response:
    """The response if it is a success. Raises the ResponseError of its status with the service's own message."""
    if response.is_success or response.status_code == 304:
        return response
    message, detail = _message(response)
    raise response_error(response.status_code, message, detail, retry_after_s=_retry_after_s(response))


def response_error(
    status: int, message: str, detail: JsonValue = None, *, retry_after_s: float | None = None
) -> ResponseError:
    """The ResponseError of a status."""
    kinds = [kind for kind in ResponseError.__subclasses__() if status in kind.statuses]
    kind = kinds[0] if kinds else ResponseError
    return kind(status, message, detail, retry_after_s=retry_after_s)


def _retry_after_s(response: httpx.Response) -> float | None:
    text = response.headers.get("Retry-After", "")
    return float(text) if text.isascii() and text.isdecimal() else None


def _message(response: httpx.Response) -> tuple[str, JsonValue]:
    """What the service said, in an envelope or not; the status line where it said nothing that can be read."""
    try:
        body = orjson.loads(response.content)
    except orjson.JSONDecodeError:
        body = None
    error = body.get("error") if isinstance(body, dict) else None
    if isinstance(error, dict):
        message, detail = error.get("message"), error.get("detail")
    else:
        detail = body.get("detail", error) if isinstance(body, dict) else body
        message = _sentence(detail)
    return str(message or f"{response.status_code} {response.reason_phrase}"), detail


def _sentence(detail: JsonValue) -> JsonValue:
    try:
        return "; ".join(f"{problem.path}: {problem.msg}" for problem in _PROBLEMS.validate_python(detail))
    except ValidationError:
        return detail  # A sentence already, or a form that is not ours.


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request, before anybody sends it: so that a client for threads and one for event loops share it."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    path: str
    json: JsonValue = None
    params: Params | None = None
    headers: Mapping[str, str] | None = None
    idempotent: bool | None = None
    """Whether sending it twice does no harm; None: as the method says."""
    content: Callable[[], Iterator[bytes]] | None = None
    """A body that is too large to be held, in pieces; begun anew with each try. `headers` say its type and length."""


def segment(text: str) -> str:
    """Text as one segment of a path, whatever it is: `..` would be the segment before, and so another resource."""
    return text.replace(".", "%2E") if text in (".", "..") else quote(text, safe="")


class Receiver(Protocol):
    """Takes an answer that is too large to be held."""

    def call(self) -> Call:
        """What to ask for with the next try: the same, or the rest of what came already."""
        ...

    def begin(self, response: httpx.Response) -> None:
        """An answer begins; its body is not there yet."""
        ...

    def take(self, piece: bytes) -> None:
        """So much more of it."""
        ...


def _should_retry(call: Call) -> Callable[[Exception], bool | float]:
    """Whether to send again after an error, or after how many seconds where the service said so."""
    may_repeat = call.method in IDEMPOTENT if call.idempotent is None else call.idempotent

    def decide(error: Exception) -> bool | float:
        if isinstance(error, httpx.ConnectError):
            return True  # Nothing was sent.
        if isinstance(error, ResponseError):
            # Who is refused for asking too often was not heard: nothing was begun.
            may_pass = isinstance(error, ServerError) and error.status not in error.lasting
            is_worth_it = error.status == 429 or (may_repeat and may_pass)
            return is_worth_it and _pause(error.retry_after_s)
        return may_repeat and isinstance(error, httpx.TransportError)

    return decide


def _pause(retry_after_s: float | None) -> bool | float:
    if retry_after_s is None:
        return True
    return retry_after_s if retry_after_s <= LONGEST_RETRY_AFTER_S else False


def _context(verify: Verify, transport: object) -> ssl.SSLContext | bool:
    # Another way to the service has its own; to make one takes some milliseconds.
    return client_context(verify) if transport is None else True


def _headers(api_key: str | None) -> dict[str, str]:
    return {"X-API-Key": api_key} if api_key else {}


class HttpClient:
    """A client of one service, for threads. Use it as a context manager, or call `close`.

    Args:
        base_url: where the service listens.
        api_key: sent as X-API-Key.
        timeout_s: for each try.
        attempts: tries altogether, with a growing, jittered pause between them.
        retry_for_s: no try is begun later; less than `timeout_s`, and a service that is silent is asked once.
        verify: of an https address, whom to believe: the path of a PEM file with the CA's certificate, or an
            ssl.SSLContext. None: whom the system believes.
        transport: another way to the service, as an app in this process in tests.
    """

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str | None = None,
        timeout_s: float = 10.0,
        attempts: int = 4,
        retry_for_s: float = RETRY_FOR_S,
        verify: Verify = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        # trust_env: a proxy for the world outside must not be asked for a service on this host.
        self._http = httpx.Client(
            base_url=base_url,
            headers=_headers(api_key),
            timeout=timeout_s,
            verify=_context(verify, transport),
            transport=transport,
            trust_env=False,
        )
        self._tries = partial(stamina.retry_context, attempts=attempts, timeout=retry_for_s, wait_max=2.0)

    def send(self, call: Call) -> httpx.Response:
        """Send, and again where that is safe. Raises ClientError."""
        with _as_client_error(self._http.base_url):
            for attempt in self._tries(on=_should_retry(call)):
                with attempt:
                    return raise_for_status(self._http.send(self._build(call)))
        raise AssertionError("stamina ends with a return or an exception")  # pragma: no cover

    def receive(self, receiver: Receiver) -> None:
        """Send, and hand over the answer as it comes; again where that is safe. Raises ClientError."""
        on = _should_retry(receiver.call())
        with _as_client_error(self._http.base_url):
            for attempt in self._tries(on=on):
                with attempt, closing(self._http.send(self._build(receiver.call()), stream=True)) as response:
                    if not response.is_success:
                        response.read()
                    receiver.begin(raise_for_status(response))
                    for piece in response.iter_bytes(PIECE_BYTES):
                        receiver.take(piece)

    def _build(self, call: Call) -> httpx.Request:
        return _build(self._http, call, call.content and call.content())

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        """The client itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        self.close()


class AsyncHttpClient:
    """The same for an event loop; see HttpClient."""

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str | None = None,
        timeout_s: float = 10.0,
        attempts: int = 4,
        retry_for_s: float = RETRY_FOR_S,
        verify: Verify = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._http = httpx.AsyncClient(
            base_url=base_url,
            headers=_headers(api_key),
            timeout=timeout_s,
            verify=_context(verify, transport),
            transport=transport,
            trust_env=False,
        )
        self._tries = partial(stamina.retry_context, attempts=attempts, timeout=retry_for_s, wait_max=2.0)

    async def send(self, call: Call) -> httpx.Response:
        """Send, and again where that is safe. Raises ClientError."""
        with _as_client_error(self._http.base_url):
            async for attempt in self._tries(on=_should_retry(call)):
                with attempt:
                    return raise_for_status(await self._http.send(self._build(call)))
        raise AssertionError("stamina ends with a return or an exception")  # pragma: no cover

    async def receive(self, receiver: Receiver) -> None:
        """Send, and hand over the answer as it comes; again where that is safe. Raises ClientError.

        The receiver, which may wait for a disk, is called in threads.
        """
        on = _should_retry(receiver.call())
        with _as_client_error(self._http.base_url):
            async for attempt in self._tries(on=on):
                with attempt:
                    await self._receive_once(receiver)

    async def _receive_once(self, receiver: Receiver) -> None:
        response = await self._http.send(self._build(receiver.call()), stream=True)
        try:
            if not response.is_success:
                await response.aread()
            await asyncio.to_thread(receiver.begin, raise_for_status(response))
            async for piece in response.aiter_bytes(PIECE_BYTES):
                await asyncio.to_thread(receiver.take, piece)
        finally:
            await response.aclose()

    def _build(self, call: Call) -> httpx.Request:
        return _build(self._http, call, call.content and _in_threads(call.content()))

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        """The client itself."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        await self.close()


async def relay(client: AsyncHttpClient, call: Call, body: AsyncIterator[bytes] | None = None) -> httpx.Response:
    """Send once, and return the answer with its body not read yet: for a service that stands between two others.

    Nothing is held, so that nothing can be sent again. The caller closes the answer. Raises ClientError.

    Args:
        client: of the service that is asked.
        call: what is asked; `headers` say the body's type, and its length where that is known.
        body: as it comes.
    """
    with _as_client_error(client._http.base_url):
        response = await client._http.send(_build(client._http, call, body), stream=True)
        if not response.is_success:
            try:
                await response.aread()
            finally:
                await response.aclose()
        return raise_for_status(response)


async def relayed(response: httpx.Response) -> AsyncGenerator[bytes, None]:
    """The body of an answer of `relay` as it comes; the answer is closed at its end. Raises ClientError."""
    try:
        with _as_client_error(response.url):
            async for piece in response.aiter_bytes(PIECE_BYTES):
                yield piece
    finally:
        await response.aclose()


def unreachable(where: httpx.URL, error: httpx.RequestError) -> UnreachableError:
    """What an error on the way means to the caller."""
    if isinstance(error, httpx.TimeoutException):
        return TimedOutError(f"{where}: no answer in time ({type(error).__name__})")
    return UnreachableError(f"{where}: {str(error) or type(error).__name__}")


@contextmanager
def _as_client_error(where: httpx.URL) -> Iterator[None]:
    try:
        yield
    except httpx.RequestError as error:
        raise unreachable(where, error) from error


def _build(
    http: httpx.Client | httpx.AsyncClient, call: Call, streamed: Iterator[bytes] | AsyncIterator[bytes] | None
) -> httpx.Request:
    content = None if call.json is None else _encoded(call.json)
    typed = {"Content-Type": "application/json"} if content else {}
    headers = {**typed, **(call.headers or {})}
    return http.build_request(call.method, call.path, content=streamed or content, params=call.params, headers=headers)


def _encoded(value: JsonValue) -> bytes:
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:  # A number of more than 64 bits, or half a sign: that is for the service to refuse.
        return json.dumps(value).encode()


async def _in_threads(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    while piece := await asyncio.to_thread(next, pieces, b""):
        yield piece
