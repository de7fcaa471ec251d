"""How the dashboard's REST answers what went wrong: `{"detail": …}`, with the status of what the service said."""

from pydantic import JsonValue, TypeAdapter, ValidationError
from starlette.responses import JSONResponse, Response

from juniper_common.errors import (
    BadRequestError,
    ConflictError,
    NoRoomError,
    NotFoundError,
    ServiceError,
    TimedOutError,
    TooLargeError,
    TooManyRequestsError,
    UnavailableError,
    UnprocessableError,
)
from juniper_common.http import ClientError, ResponseError
from juniper_common.http import TimedOutError as NoAnswerInTime
from juniper_common.wire.errors import FieldProblem

_BY_STATUS: dict[int, type[ServiceError]] = {
    400: BadRequestError,
    404: NotFoundError,
    409: ConflictError,
    413: TooLargeError,
    422: UnprocessableError,
    429: TooManyRequestsError,
    507: NoRoomError,
}
_FIELDS = TypeAdapter(tuple[FieldProblem, ...])


def error_body(error: ServiceError) -> Response:
    """The body of every refusal."""
    detail: object = [field.model_dump() for field in error.fields] or error.message
    return JSONResponse({"detail": detail}, error.status)


def from_backend(error: ClientError) -> ServiceError:
    """What a service refused, in its own words; without an answer it is away (503), or too slow (504)."""
    if isinstance(error, ResponseError) and error.status in _BY_STATUS:
        return _BY_STATUS[error.status](error.message, fields_of(error.detail))
    return TimedOutError(str(error)) if isinstance(error, NoAnswerInTime) else UnavailableError(str(error))


def fields_of(detail: JsonValue) -> tuple[FieldProblem, ...]:
    """The refused fields that a service named; none where it said a sentence."""
    try:
        return _FIELDS.validate_python(detail)
    except ValidationError:
        return ()
