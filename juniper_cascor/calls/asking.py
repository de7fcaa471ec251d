"""A call to the training service, and the model of its answer."""

from collections.abc import Callable
from typing import Literal, TypeVar

import httpx
from pydantic import BaseModel, JsonValue, ValidationError

from juniper_common.asking import Ask, unreadable
from juniper_common.http import Call, Params
from juniper_common.wire.envelope import Success

__all__ = ["Ask", "Command", "RunCommand", "asked", "told"]

Command = Literal["stop", "pause", "resume", "reset"]
RunCommand = Literal["stop", "pause", "resume"]
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]

T = TypeVar("T")

Parameter = str | int | float | None
"""Of a query."""


def asked(path: str, answer: type[T], **params: Parameter) -> Ask[T]:
    """A question: `params` that are None are left out."""
    return Ask(Call(path=path, params=_given(params)), _reader(answer))


def told(
    method: Method,
    path: str,
    answer: type[T],
    body: BaseModel | dict[str, JsonValue] | None = None,
    *,
    idempotent: bool | None = None,
    **params: Parameter,
) -> Ask[T]:
    """An order, with a body or without; `idempotent` as `Call` has it. `answer` None: there is nothing to read."""
    # Only what was said: a null pace means full speed, and silence leaves it as it is.
    json = body.model_dump(mode="json", exclude_unset=True) if isinstance(body, BaseModel) else body
    call = Call(method=method, path=path, json=json, params=_given(params), idempotent=idempotent)
    return Ask(call, _reader(answer))


def _given(params: dict[str, Parameter]) -> Params | None:
    return {name: value for name, value in params.items() if value is not None} or None


def _reader(answer: type[T]) -> Callable[[httpx.Response], T]:
    """Takes the `data` out of its envelope."""

    def read(response: httpx.Response) -> T:
        if answer is type(None):  # Whatever came says that it is done.
            return answer()
        try:
            return Success[answer].model_validate_json(response.content).data  # type: ignore[valid-type]
        except ValidationError as error:
            raise unreadable(response, "training", error) from None

    return read
