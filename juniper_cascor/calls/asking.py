"""A call to the training service, and the model of its answer."""

from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from pydantic import BaseModel

from juniper_common.http import Call, Params

Command = Literal["stop", "pause", "resume", "reset"]
RunCommand = Literal["stop", "pause", "resume"]
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Ask(Generic[T_co]):
    """A call, and the model of the `data` in its answer; None: there is nothing to read."""

    call: Call
    answer: type[T_co]


Parameter = str | int | float | None
"""Of a query."""


def asked(path: str, answer: type[T_co], **params: Parameter) -> Ask[T_co]:
    """A question: `params` that are None are left out."""
    return Ask(Call(path=path, params=_given(params)), answer)


def told(
    method: Method,
    path: str,
    answer: type[T_co],
    body: BaseModel | None = None,
    *,
    idempotent: bool | None = None,
    **params: Parameter,
) -> Ask[T_co]:
    """An order, with a body or without; `idempotent` as `Call` has it."""
    # Only what was said: a null pace means full speed, and silence leaves it as it is.
    json = None if body is None else body.model_dump(mode="json", exclude_unset=True)
    return Ask(Call(method=method, path=path, json=json, params=_given(params), idempotent=idempotent), answer)


def _given(params: dict[str, Parameter]) -> Params | None:
    return {name: value for name, value in params.items() if value is not None} or None
