"""Errors become answers in one place."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from typing import Self

import httpx
import pydantic
import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from juniper_common import errors
from juniper_common.errors import (
    MAX_COUNTED,
    MAX_LISTED,
    MAX_NAME,
    BrokenOffError,
    ServiceError,
    UnexpectedErrors,
    UnprocessableError,
    exception_handlers,
)
from tests.serving import logged, served


def _body(error: ServiceError) -> Response:
    return JSONResponse({"code": error.code, "message": error.message}, error.status)


class Raising:
    """A handler that raises what the test says."""

    def __init__(self) -> None:
        self.error: Exception = RuntimeError("secret")

    async def handle(self, _: Request) -> Response:
        """Raise."""
        raise self.error


async def _cut_off(_: Request) -> Response:
    async def parts() -> AsyncIterator[bytes]:
        yield b"part"
        raise RuntimeError("the disk is gone")

    return StreamingResponse(parts())


async def _failing_socket(_: WebSocket) -> None:
    raise RuntimeError("no socket")


@pytest.fixture
def handler() -> Raising:
    """What the app's route does."""
    return Raising()


@pytest.fixture
def client(handler: Raising) -> Iterator[TestClient]:
    """Calls an app that answers its errors in its own form."""
    app = Starlette(
        routes=[
            Route("/", handler.handle, methods=["POST"]),
            Route("/cut-off", _cut_off),
            WebSocketRoute("/socket", _failing_socket),
        ],
        middleware=[Middleware(UnexpectedErrors, error_body=_body)],
        exception_handlers=exception_handlers(_body),
    )
    with TestClient(app) as client:
        yield client


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (errors.BadRequestError, 400),
        (errors.UnauthorizedError, 401),
        (errors.ForbiddenError, 403),
        (errors.NotFoundError, 404),
        (errors.ConflictError, 409),
        (errors.TooLargeError, 413),
        (errors.UnprocessableError, 422),
        (errors.MisdirectedError, 421),
        (errors.UnavailableError, 503),
        (errors.TimedOutError, 504),
    ],
)
def test_each_error_has_its_status(client: TestClient, handler: Raising, kind: type[ServiceError], status: int) -> None:
    """What a handler raises on purpose is answered with its message."""
    handler.error = kind("so it is")
    answer = client.post("/")
    assert (answer.status_code, answer.json()) == (status, {"code": kind.code, "message": "so it is"})


def test_unknown_path_is_in_the_service_s_form(client: TestClient) -> None:
    """What Starlette refuses itself looks like any other error."""
    answer = client.get("/nothing")
    assert (answer.status_code, answer.json()) == (404, {"code": "NOT_FOUND", "message": "Not Found"})


def test_wrong_method_tells_the_right_ones(client: TestClient) -> None:
    """A status without an error of its own keeps it, and Starlette's headers."""
    answer = client.get("/")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert answer.json() == {"code": "BAD_REQUEST", "message": "Method Not Allowed"}


def test_other_server_errors_keep_their_status(client: TestClient, handler: Raising) -> None:
    """501 is no 500."""
    handler.error = HTTPException(501, "not here")
    answer = client.post("/")
    assert (answer.status_code, answer.json()["code"]) == (501, "INTERNAL_ERROR")


def test_unexpected_error_is_logged_once_and_not_told(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    """The caller learns that it happened, the log what; the server has nothing more to log."""
    answer = client.post("/")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    (record,) = (record for record in caplog.records if record.levelno >= logging.ERROR)
    assert record.getMessage() == "unexpected error in POST /"
    assert record.exc_info is not None


def test_answer_that_has_begun_is_cut_off(client: TestClient) -> None:
    """An error in the midst of an answer reaches the server, which closes the connection."""
    with pytest.raises(RuntimeError, match="the disk is gone"):
        client.get("/cut-off")


def test_answer_that_breaks_off_is_one_line() -> None:
    """What it was made of is gone: the connection is closed, and the log says why, without a traceback."""

    async def app(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"9")]})
        await send({"type": "http.response.body", "body": b"part", "more_body": True})
        raise BrokenOffError("the service is gone")

    with (
        logged() as records,
        served(UnexpectedErrors(app, _body)) as url,
        pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"),
    ):
        httpx.get(f"{url}/file", trust_env=False)
    warned = [record for record in records if record.levelno >= logging.WARNING]
    assert [record.getMessage() for record in warned] == ["GET /file is cut off: the service is gone"]
    assert warned[0].exc_info is None


def test_error_of_a_socket_reaches_the_server(client: TestClient) -> None:
    """A WebSocket has no status to answer with."""
    with pytest.raises(RuntimeError, match="no socket"), client.websocket_connect("/socket"):
        pass


def test_caller_that_left_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    """Nobody is answered, and nobody is alarmed."""
    sent: list[Message] = []

    async def app(scope: Scope, receive: Receive, _: Send) -> None:
        await Request(scope, receive).body()

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    with caplog.at_level(logging.INFO):
        asyncio.run(UnexpectedErrors(app, _body)({"type": "http", "method": "POST", "path": "/"}, receive, send))
    assert sent == []
    assert [record.levelname for record in caplog.records if record.name == "juniper_common.errors"] == ["INFO"]


def test_validation_names_each_field() -> None:
    """The message says where and what, and never the value."""

    class Body(pydantic.BaseModel):
        size: int
        names: list[str]

    with pytest.raises(pydantic.ValidationError) as refused:
        Body.model_validate({"size": "hidden", "names": ["a", 1]})
    error = UnprocessableError.from_validation(refused.value)
    assert [(field.path, field.type) for field in error.fields] == [("size", "int_parsing"), ("names.1", "string_type")]
    assert error.message.startswith("size: Input should be a valid integer")
    assert "hidden" not in error.message


def test_words_of_a_validator_are_told_as_they_are() -> None:
    """A rule about several fields says what is wrong by itself."""

    class Body(pydantic.BaseModel):
        least: int

        @pydantic.model_validator(mode="after")
        def _can_be(self) -> Self:
            raise ValueError("least is more than most")

    with pytest.raises(pydantic.ValidationError) as refused:
        Body.model_validate({"least": 1})
    assert UnprocessableError.from_validation(refused.value).message == "body: least is more than most"


def _refused(mistakes: int) -> UnprocessableError:
    class Body(pydantic.BaseModel, extra="forbid"):
        pass

    with pytest.raises(pydantic.ValidationError) as refused:
        Body.model_validate({f"{n}{'x' * 1_000}": 1 for n in range(mistakes)})
    return UnprocessableError.from_validation(refused.value)


def test_of_many_mistakes_the_first_are_named() -> None:
    """The message says how many more there are; a long name comes back in part."""
    error = _refused(mistakes=MAX_LISTED + 5)
    assert len(error.fields) == MAX_LISTED
    assert error.message.endswith("; and 5 more")
    assert {len(field.path) for field in error.fields} == {MAX_NAME}


def test_of_too_many_mistakes_none_is_named() -> None:
    """Their number alone."""
    error = _refused(mistakes=MAX_COUNTED + 1)
    assert error.message == f"body: has {MAX_COUNTED + 1} mistakes, more than can be listed"
    assert len(error.fields) == 1
