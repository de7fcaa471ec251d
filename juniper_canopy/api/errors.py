"""How the dashboard's REST answers what went wrong: `{"detail": …}`, with the status of what the service said."""

from starlette.responses import JSONResponse, Response

from juniper_common.errors import (
    BadRequestError,
    ConflictError,
    NotFoundError,
    ServiceError,
    TooManyRequestsError,
    UnavailableError,
    UnprocessableError,
)
from juniper_common.http import ClientError, ResponseError

_BY_STATUS: dict[int, type[ServiceError]] = {
    400: BadRequestError,
    404: NotFoundError,
    409: ConflictError,
    422: UnprocessableError,
    429: TooManyRequestsError,
}


def error_body(error: ServiceError) -> Response:
    """The body of every refusal."""
    detail: object = [field.model_dump() for field in error.fields] or error.message
    return JSONResponse({"detail": detail}, error.status)


def from_backend(error: ClientError) -> ServiceError:
    """What a service refused, in its own words; what it did not answer is an unavailable service."""
    if isinstance(error, ResponseError) and error.status in _BY_STATUS:
        return _BY_STATUS[error.status](error.message)
    return UnavailableError(str(error))
