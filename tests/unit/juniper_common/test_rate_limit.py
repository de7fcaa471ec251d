"""How often one caller may ask, by a clock that the test sets."""

import pytest
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from juniper_common.api_keys import ApiKeys
from juniper_common.errors import ServiceError
from juniper_common.rate_limit import CLOSE_TOO_FAST, RateLimit, TokenBuckets, caller_address
from juniper_common.requests import json_response


class Clock:
    """Seconds that the test lets pass."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        """Now."""
        return self.now_s


class Refusal(BaseModel):
    """The body of an error."""

    detail: str


def _error_body(error: ServiceError) -> Response:
    return json_response(Refusal(detail=error.message), error.status)


async def _hello(_: Request) -> Response:
    return PlainTextResponse("hello")


async def _socket(socket: WebSocket) -> None:
    await socket.accept()
    await socket.close()


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still."""
    return Clock()


@pytest.fixture
def app(clock: Clock) -> Starlette:
    """A service that allows three requests a minute."""
    limit = Middleware(
        RateLimit,
        per_minute=3,
        keys=ApiKeys(["first", "second"]),
        error_body=_error_body,
        exempt_paths={"/health"},
        exempt_prefixes=("/files/",),
        clock_s=clock,
    )
    routes = [
        Route("/", _hello),
        Route("/health", _hello),
        Route("/files/{name}", _hello),
        WebSocketRoute("/socket", _socket),
    ]
    return Starlette(routes=routes, middleware=[limit])


@pytest.fixture
def client(app: Starlette) -> TestClient:
    """One caller."""
    return TestClient(app)


def _statuses(client: TestClient, times: int, **headers: str) -> list[int]:
    return [
        client.get("/", headers={name.replace("_", "-"): value for name, value in headers.items()}).status_code
        for _ in range(times)
    ]


def test_answers_tell_what_is_left(client: TestClient, clock: Clock) -> None:
    """The limit, what remains of it, and in how many seconds all of it is there again."""
    told = []
    for wait_s in (0, 0, 15):
        clock.now_s += wait_s
        headers = client.get("/").headers
        told.append([headers[f"x-ratelimit-{name}"] for name in ("limit", "remaining", "reset")])
    assert told == [["3", "2", "20"], ["3", "1", "40"], ["3", "0", "45"]]


def test_one_too_many_is_refused_in_the_services_own_form(client: TestClient) -> None:
    """With the time after which it would be served, and the same headers as every answer."""
    _statuses(client, 3)
    answer = client.get("/")
    assert answer.status_code == 429
    assert answer.json() == {"detail": "more than 3 requests a minute"}
    assert answer.headers["retry-after"] == "20"
    assert answer.headers["x-ratelimit-remaining"] == "0"


def test_who_waits_as_told_is_served(client: TestClient, clock: Clock) -> None:
    """The bucket fills evenly: one token each twenty seconds, and no more than that."""
    _statuses(client, 4)
    clock.now_s += 20
    assert _statuses(client, 2) == [200, 429]


def test_refusals_cost_nothing(client: TestClient, clock: Clock) -> None:
    """Who goes on asking is served as soon as who waits."""
    _statuses(client, 50)
    clock.now_s += 20
    assert _statuses(client, 1) == [200]


def test_each_key_has_a_bucket_of_its_own(client: TestClient) -> None:
    """Two programs of one host do not take each other's."""
    assert _statuses(client, 4, X_API_Key="first") == [200, 200, 200, 429]
    assert _statuses(client, 3, X_API_Key="second") == [200, 200, 200]


def test_wrong_keys_are_counted_by_address(client: TestClient) -> None:
    """Else each guess would come with a bucket of its own."""
    assert [_statuses(client, 1, X_API_Key=f"guess {number}") for number in range(4)] == [[200], [200], [200], [429]]


def test_each_address_has_a_bucket_of_its_own(app: Starlette) -> None:
    """One caller does not keep the others out."""
    assert _statuses(TestClient(app, client=("192.0.2.1", 1)), 4)[-1] == 429
    assert _statuses(TestClient(app, client=("192.0.2.2", 1)), 1) == [200]


@pytest.mark.parametrize("path", ["/health", "/files/a"])
def test_exempt_paths_are_never_refused(client: TestClient, path: str) -> None:
    """A monitor and the files of a page ask as often as they must; they say nothing of limits."""
    answers = [client.get(path) for _ in range(5)]
    assert {answer.status_code for answer in answers} == {200}
    assert "x-ratelimit-limit" not in answers[0].headers


def test_sockets_are_counted_as_they_are_opened(client: TestClient) -> None:
    """A key could else be guessed over sockets; the close says why."""
    _statuses(client, 2)
    with client.websocket_connect("/socket"):
        pass
    with client.websocket_connect("/socket") as socket, pytest.raises(WebSocketDisconnect) as closed:
        socket.receive_text()
    assert closed.value.code == CLOSE_TOO_FAST


def test_memory_is_bounded_whatever_addresses_come(clock: Clock) -> None:
    """Who has not asked for the longest is forgotten first."""
    buckets = TokenBuckets(1, clock, max_callers=100)
    for number in range(1_000):
        buckets.take(f"caller {number}")
    assert len(buckets) == 100
    assert not buckets.take("caller 999").is_granted
    assert buckets.take("caller 0").is_granted


@pytest.mark.parametrize("per_minute", [1, 7, 59, 60, 1_000, 100_001])
def test_a_full_bucket_holds_what_a_minute_allows(clock: Clock, per_minute: int) -> None:
    """Exactly that, whatever thirds and sevenths round to."""
    buckets = TokenBuckets(per_minute, clock)
    allowances = [buckets.take("caller") for _ in range(per_minute + 1)]
    assert [allowance.is_granted for allowance in allowances] == [True] * per_minute + [False]
    assert [allowance.remaining for allowance in allowances[:-1]] == list(range(per_minute - 1, -1, -1))


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::ffff:2", "2001:db8::/64"),
        ("testclient", "testclient"),
    ],
)
def test_one_caller_is_one_address_or_one_network(host: str, address: str) -> None:
    """Whoever has one IPv6 address has 2^64 of them."""
    assert caller_address({"client": (host, 1)}) == address


def test_caller_without_an_address_is_one_too() -> None:
    """As over a socket of the file system."""
    assert caller_address({}) == "unknown"
