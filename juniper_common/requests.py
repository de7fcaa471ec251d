"""Reading a request into a model, writing a model into a response."""

from collections.abc import Callable
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from starlette.requests import Request
from starlette.responses import Response

from juniper_common.errors import UnprocessableError

Respond = Callable[[BaseModel], Response]
"""How a service writes an answer: with an envelope or without."""

Model = TypeVar("Model", bound=BaseModel)


async def read_body(request: Request, model: type[Model]) -> Model:
    """The JSON body as `model`; an empty body reads as `{}`. Raises UnprocessableError naming each wrong field.

    Nothing is taken for what it is not, as `"1"` or `true` for a number; but a whole number may be written as 1.0.
    """
    content = await request.body() or b"{}"
    try:
        return model.model_validate_json(content, strict=True)
    except ValidationError as strict:
        try:
            if all(_is_whole_number(problem) for problem in strict.errors(include_url=False, include_context=False)):
                return model.model_validate_json(content)
        except ValidationError as error:
            raise UnprocessableError.from_validation(error) from None
        raise UnprocessableError.from_validation(strict) from None


def _is_whole_number(problem: ErrorDetails) -> bool:
    value = problem["input"]
    return problem["type"] == "int_type" and isinstance(value, float) and value.is_integer()


def read_query(request: Request, model: type[Model]) -> Model:
    """The query string as `model`. Raises UnprocessableError naming each wrong field."""
    try:
        return model.model_validate(dict(request.query_params))
    except ValidationError as error:
        raise UnprocessableError.from_validation(error) from None


def json_response(model: BaseModel, status: int = 200) -> Response:
    """A model as JSON. NaN and infinities become null."""
    return Response(model.model_dump_json(), status, media_type="application/json")
