"""What a service can answer when it cannot do as asked, and the one place where that becomes HTTP.

ServiceError
├── BadRequestError       400  the request makes no sense for this service
├── UnauthorizedError     401  a key is missing or wrong
├── ForbiddenError        403  a page of another origin
├── NotFoundError         404
├── ConflictError         409  not in this state
├── TooLargeError         413
├── MisdirectedError      421  the service is called by a name that is not its own
├── UnprocessableError    422  a field has a value that cannot be; each field is named
├── TooManyRequestsError  429  this caller asks too often
├── UnavailableError      503  something that this service needs is away
├── TimedOutError         504  it does not answer in time
└── NoRoomError           507  the disk or the quota is full
"""

import logging
from collections.abc import Callable, Mapping
from typing import ClassVar
from urllib.parse import quote

import pydantic
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, ExceptionHandler, Message, Receive, Scope, Send

from juniper_common.wire.errors import FieldProblem, reason

MAX_LISTED = 20
"""So many refused fields are named; of the others it is said how many they are."""

MAX_COUNTED = 1_000
"""Of more than these none is named: Pydantic makes all of them or none, and a second would go by."""

MAX_NAME = 200
"""What a caller calls a field comes back in the answer, but not megabytes of it."""

log = logging.getLogger(__name__)


class ServiceError(Exception):
    """The root: `message` is for a person, `fields` names what was wrong where."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "INTERNAL_ERROR"

    def __init__(self, message: str, fields: tuple[FieldProblem, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.fields = fields


class BadRequestError(ServiceError):
    """The request makes no sense for this service."""

    status, code = 400, "BAD_REQUEST"


class UnauthorizedError(ServiceError):
    """A key is missing or wrong."""

    status, code = 401, "UNAUTHORIZED"


class ForbiddenError(ServiceError):
    """A page of another origin asked."""

    status, code = 403, "FORBIDDEN"


class NotFoundError(ServiceError):
    """There is no such thing."""

    status, code = 404, "NOT_FOUND"


class ConflictError(ServiceError):
    """Not in this state."""

    status, code = 409, "CONFLICT"


class TooLargeError(ServiceError):
    """The body is larger than this service takes."""

    status, code = 413, "TOO_LARGE"


class MisdirectedError(ServiceError):
    """The service is called by a name that is not its own."""

    status, code = 421, "MISDIRECTED"


class UnprocessableError(ServiceError):
    """A field has a value that cannot be."""

    status, code = 422, "UNPROCESSABLE"

    @classmethod
    def from_validation(cls, error: pydantic.ValidationError) -> "UnprocessableError":
        """Name each field that Pydantic refused."""
        fields, count = field_problems(error), error.error_count()
        more = [f"and {count - len(fields)} more"] if len(fields) < count <= MAX_COUNTED else []
        return cls("; ".join([*(f"{field.path}: {field.msg}" for field in fields), *more]), fields)


class TooManyRequestsError(ServiceError):
    """This caller asks more often than it may."""

    status, code = 429, "TOO_MANY_REQUESTS"


class UnavailableError(ServiceError):
    """Something that this service needs is away."""

    status, code = 503, "UNAVAILABLE"


class TimedOutError(ServiceError):
    """Something that this service needs does not answer in time."""

    status, code = 504, "TIMED_OUT"


class BrokenOffError(Exception):
    """What an answer is made of ended early, and the answer has begun: nothing of it can be taken back."""


class NoRoomError(ServiceError):
    """The disk is full, or no more is allowed."""

    status, code = 507, "INSUFFICIENT_STORAGE"


def field_problems(error: pydantic.ValidationError) -> tuple[FieldProblem, ...]:
    """The first refused fields of a Pydantic error: where each stands and what is wrong with it."""
    count = error.error_count()
    if count > MAX_COUNTED:
        return (FieldProblem(loc=[], msg=f"has {count} mistakes, more than can be listed", type="too_many"),)
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    return tuple(
        FieldProblem(loc=[_shown(part) for part in problem["loc"]], msg=reason(problem), type=problem["type"])
        for problem in problems[:MAX_LISTED]
    )


def _shown(part: str | int) -> str | int:
    return part if isinstance(part, int) else part[:MAX_NAME]


ErrorBody = Callable[[ServiceError], Response]
"""How a service writes an error: with an envelope or without."""


def exception_handlers(body: ErrorBody) -> Mapping[int | type[Exception], ExceptionHandler]:
    """Handlers for Starlette that answer what was raised on purpose in the service's own form."""

    async def service_error(_: Request, error: Exception) -> Response:
        assert isinstance(error, ServiceError)  # noqa: S101 - Starlette's handler type is wider than its use
        return body(error)

    async def http_error(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101
        response = body(_of_status(error.status_code, error.detail))
        response.status_code = error.status_code
        response.headers.update(error.headers or {})
        return response

    return {ServiceError: service_error, HTTPException: http_error}


class UnexpectedErrors:
    """Logs what nobody caught and answers 500 in the service's own form.

    A middleware, since Starlette calls a handler of Exception outside of all others: without the request's id in the
    log line and the answer, and only to raise the error again for the server to log it once more.
    """

    def __init__(self, app: ASGIApp, error_body: ErrorBody) -> None:
        self._app = app
        self._error_body = error_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on; answer unless an answer has begun, or there is nobody to read it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        has_begun = False

        async def watching(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive, watching)
        except ClientDisconnect:
            log.info("the caller left")
        except BrokenOffError as error:
            log.warning("%s %s is cut off: %s", scope["method"], quote(scope["path"]), error)  # by the server, see logs
        except Exception:
            if has_begun:
                raise  # The server cuts the connection: the caller must not take a part for the whole.
            log.exception("unexpected error in %s %s", scope["method"], quote(scope["path"]))
            await self._error_body(ServiceError("internal error; the service's log says more"))(scope, receive, send)


async def refuse_socket(receive: Receive, send: Send, code: int, reason: str) -> None:
    """Close a WebSocket that may not be opened, with the code that tells why."""
    # A close before accept would reach the client as HTTP 403, without the code.
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.close", "code": code, "reason": reason})


def _of_status(status: int, message: str) -> ServiceError:
    for kind in ServiceError.__subclasses__():
        if kind.status == status:
            return kind(message)
    return BadRequestError(message) if status < 500 else ServiceError(message)
