"""What could not be done, as this service answers it: the one place where its errors become HTTP."""

import logging
from errno import EDQUOT, ENOSPC

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from juniper_common.errors import (
    BadRequestError,
    NoRoomError,
    NotFoundError,
    ServiceError,
    UnavailableError,
    UnprocessableError,
)
from juniper_common.requests import json_response
from juniper_common.wire.errors import FieldProblem
from juniper_data.errors import (
    BusyError,
    DatasetDamagedError,
    DatasetNotFoundError,
    GeneratorError,
    GivenUpError,
    HubError,
    InvalidParametersError,
    KeyReusedError,
    StoreError,
    StoreFullError,
    UnknownGeneratorError,
)

BUSY_RETRY_S = 5
"""After how long it is worth to ask a busy service again."""

log = logging.getLogger(__name__)


class Refusal(BaseModel):
    """What was wrong: a sentence, or each refused field."""

    detail: str | list[FieldProblem]


def refusal(error: ServiceError) -> Refusal:
    """What an error tells."""
    return Refusal(detail=list(error.fields) or error.message)


def error_body(error: ServiceError) -> Response:
    """An error as this service writes it: without an envelope."""
    return json_response(refusal(error), error.status)


async def answer_error(_: Request, error: Exception) -> Response:
    """The answer to a DataError, or to an OSError of the state folder."""
    response = error_body(logged_error(error))
    if isinstance(error, BusyError):
        response.headers["Retry-After"] = str(BUSY_RETRY_S)
    return response


def logged_error(error: Exception) -> ServiceError:
    """What went wrong as an answer; in the log too where that is of the service's making."""
    answer = service_error(error)
    if answer.status >= 500 and not isinstance(error, BusyError):
        log.error("%s", error, exc_info=error if isinstance(error, GeneratorError) else None)
    return answer


def service_error(error: Exception) -> ServiceError:
    """What went wrong as an answer."""
    match error:
        case DatasetNotFoundError() | UnknownGeneratorError():
            return NotFoundError(str(error))
        case InvalidParametersError():
            return BadRequestError(str(error), error.problems)
        case KeyReusedError():
            return UnprocessableError(str(error), (FieldProblem(loc=["Idempotency-Key"], msg=str(error)),))
        case StoreFullError():
            return NoRoomError(str(error))
        case OSError(errno=errno) if errno in (ENOSPC, EDQUOT):
            return NoRoomError(f"the disk is full: {error.strerror}")
        case DatasetDamagedError() | GeneratorError() | GivenUpError():
            return ServiceError(str(error))
        case StoreError() | BusyError() | HubError():
            return UnavailableError(str(error))
        case OSError():
            return UnavailableError(f"the disk does not take or give: {error.strerror}")
    return ServiceError("internal error; the service's log says more")
