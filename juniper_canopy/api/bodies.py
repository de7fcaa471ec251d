"""Reading what is sent to the dashboard, which passes it on."""

import math
from typing import TypeVar

from pydantic import BaseModel, JsonValue
from starlette.requests import Request

from juniper_common import requests
from juniper_common.errors import UnprocessableError
from juniper_common.wire.errors import FieldProblem

Model = TypeVar("Model", bound=BaseModel)

ROWS = {"inline_data"}
"""Finite as they are read."""


async def read_body(request: Request, model: type[Model]) -> Model:
    """The JSON body as `model`. Raises as `juniper_common.requests.read_body`.

    A number that is not finite is refused wherever it stands: passed on as JSON it would be null, which is a default.
    """
    asked = await requests.read_body(request, model)
    if place := _infinite(asked.model_dump(exclude=ROWS, exclude_unset=True)):
        problem = "Input should be a finite number"
        raise UnprocessableError(f"{place[-1]}: {problem}", (FieldProblem(loc=place, msg=problem),))
    return asked


def _infinite(document: JsonValue) -> list[str | int]:
    """Where in a document a number is not finite, or so large that it is none as a float."""
    left: list[tuple[list[str | int], JsonValue]] = [([], document)]
    while left:
        place, value = left.pop()
        match value:
            case dict():
                left += [([*place, name], part) for name, part in value.items()]
            case list():
                left += [([*place, index], part) for index, part in enumerate(value)]
            case float() | int() if not _is_finite(value):
                return place
    return []


def _is_finite(number: float) -> bool:
    try:
        return math.isfinite(number)
    except OverflowError:
        return False
