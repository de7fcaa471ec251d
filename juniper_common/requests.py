"""Reading a request into a model, writing a model into a response."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from starlette.requests import Request
from starlette.responses import Response

from juniper_common import json_rows
from juniper_common.errors import MAX_COUNTED, TooLargeError, UnprocessableError
from juniper_common.wire.errors import FieldProblem
from juniper_common.wire.rows import RowsRequest, TablesRead

AT_ONCE_BYTES = 1 << 16
"""A larger body is read in a thread."""

BESIDE_ROWS_BYTES = 1 << 20
"""All of a request that brings rows but these."""

Respond = Callable[[BaseModel], Response]
"""How a service writes an answer: with an envelope or without."""

Model = TypeVar("Model", bound=BaseModel)


async def read_body(request: Request, model: type[Model]) -> Model:
    """The JSON body as `model`; an empty body reads as `{}`. Raises as `read_json`."""
    return await read_json(await request.body() or b"{}", model)


async def read_json(content: bytes, model: type[Model]) -> Model:
    """JSON as `model`. Raises UnprocessableError naming the wrong fields, TooLargeError.

    Nothing is taken for what it is not, as `"1"` or `true` for a number; but a whole number may be written as 1.0.
    """
    if len(content) <= AT_ONCE_BYTES:
        return _validated(content, model)
    if issubclass(model, RowsRequest):
        return await asyncio.to_thread(_with_rows, content, model)
    return await asyncio.to_thread(_validated, content, model)


def _with_rows(content: bytes, model: type[Model]) -> Model:
    rest, rows = json_rows.cut_out(content)
    if len(rest) > BESIDE_ROWS_BYTES:
        problem = f"has more than {BESIDE_ROWS_BYTES} bytes beside rows in inline_data"
        raise TooLargeError(f"the body {problem}", (FieldProblem(loc=["body"], msg=problem),))
    asked = _validated(rest, model, rows)
    if len(rows.taken) < len(rows.tables):
        problem = "has rows twice, or where none belong"
        raise UnprocessableError(f"the body {problem}", (FieldProblem(loc=["body"], msg=problem),))
    return asked


def _validated(content: bytes, model: type[Model], rows: TablesRead | None = None) -> Model:
    try:
        return model.model_validate_json(content, strict=True, context=rows)
    except ValidationError as strict:
        try:
            if _names_whole_numbers_alone(strict):
                return model.model_validate_json(content, context=rows)
        except ValidationError as error:
            raise UnprocessableError.from_validation(error) from None
        raise UnprocessableError.from_validation(strict) from None


def _names_whole_numbers_alone(error: ValidationError) -> bool:
    if error.error_count() > MAX_COUNTED:
        return False
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    # The inputs only now: that of a missing field would be all of the body, as Python's objects.
    return all(problem["type"] == "int_type" for problem in problems) and all(
        map(_is_whole_number, error.errors(include_url=False, include_context=False))
    )


def _is_whole_number(problem: ErrorDetails) -> bool:
    value = problem["input"]
    return isinstance(value, float) and value.is_integer()


def read_query(request: Request, model: type[Model]) -> Model:
    """The query string as `model`. Raises UnprocessableError naming each wrong field."""
    try:
        return model.model_validate(dict(request.query_params))
    except ValidationError as error:
        raise UnprocessableError.from_validation(error) from None


def read_headers(request: Request, model: type[Model]) -> Model:
    """The headers that the model names, as `model`. Raises UnprocessableError naming each wrong one."""
    names = [info.alias or name for name, info in model.model_fields.items()]
    try:
        return model.model_validate({name: request.headers[name] for name in names if name in request.headers})
    except ValidationError as error:
        raise UnprocessableError.from_validation(error) from None


def json_response(model: BaseModel, status: int = 200) -> Response:
    """A model as JSON. NaN and infinities become null."""
    return Response(model.model_dump_json(), status, media_type="application/json")
