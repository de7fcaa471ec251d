"""Every answer but health in its envelope."""

from typing import TypeVar

from pydantic import BaseModel, SerializeAsAny
from starlette.responses import Response

from juniper_common.errors import ServiceError, UnauthorizedError
from juniper_common.requests import json_response
from juniper_common.wire.envelope import ErrorInfo, Failure, Success

Item = TypeVar("Item", bound=BaseModel)


def success(data: BaseModel, status: int = 200) -> Response:
    """An answer in the envelope."""
    # Built, not validated: the data is a model already, and a boundary's grid would be walked once more.
    return json_response(Success[SerializeAsAny[BaseModel]].model_construct(data=data), status)


def success_list(items: list[Item]) -> Response:
    """A list in the envelope."""
    return json_response(Success[list[Item]].model_construct(data=items))


def failure(error: ServiceError) -> Response:
    """An error in the envelope."""
    info = ErrorInfo(code=error.code, message=error.message, detail=list(error.fields))
    detail = error.message if isinstance(error, UnauthorizedError) else None
    return json_response(Failure(error=info, detail=detail), error.status)
