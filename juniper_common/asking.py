"""What the services' clients are made of: calls as values, and the methods that send them and read the answers."""

import asyncio
import functools
import inspect
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, get_args

import httpx
from pydantic import ValidationError

from juniper_common.errors import UnprocessableError
from juniper_common.http import AsyncHttpClient, Call, ClientError, HttpClient, UnreachableError, unreachable
from juniper_common.wire.health import Readiness

_READY = "/v1/health/ready"
_READY_TIMEOUT_S = 2.0
_POLL_S = 0.1

P = ParamSpec("P")
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Ask(Generic[T_co]):
    """A call, and how its answer is read. `read` raises ClientError where it is none of that service."""

    call: Call
    read: Callable[[httpx.Response], T_co]


def unreadable(response: httpx.Response, service: str, error: ValidationError) -> ClientError:
    """An answer of another version, or of who is no such service: what is wrong with it, not what it holds."""
    problems = UnprocessableError.from_validation(error).message
    return ClientError(f"{response.url}: not an answer of the {service} service: {problems}")


def sent(ask: Callable[P, Ask[T]]) -> Callable[Concatenate[HttpClient, P], T]:
    """The method that sends what `ask` builds, and reads the answer."""

    def method(self: HttpClient, /, *args: P.args, **kwargs: P.kwargs) -> T:
        asked = ask(*args, **kwargs)
        return asked.read(self.send(asked.call))

    return _documented(method, ask)


def awaited(ask: Callable[P, Ask[T]]) -> Callable[Concatenate[AsyncHttpClient, P], Coroutine[None, None, T]]:
    """The same for an event loop."""

    async def method(self: AsyncHttpClient, /, *args: P.args, **kwargs: P.kwargs) -> T:
        asked = ask(*args, **kwargs)
        return asked.read(await self.send(asked.call))

    return _documented(method, ask)


def _documented(method: Callable[..., T], ask: Callable[..., Ask[Any]]) -> Callable[..., T]:
    """The method with the name, signature and documentation of the call, for `help` and editors."""
    functools.update_wrapper(method, ask)
    signature = inspect.signature(ask)
    this = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    (answer,) = get_args(signature.return_annotation)
    method.__signature__ = signature.replace(  # type: ignore[attr-defined] # a function's, as PEP 362 has it
        parameters=[this, *signature.parameters.values()], return_annotation=answer
    )
    return method


class ServiceClient(HttpClient):
    """A client of a service that tells whether it is ready, for threads. Arguments as HttpClient's."""

    def is_ready(self) -> bool:
        """Whether the service answers and says that it is ready."""
        try:
            return self._http.get(_READY, timeout=_READY_TIMEOUT_S).is_success
        except httpx.TransportError:
            return False

    def readiness(self) -> Readiness:
        """How the service is, in its own words, well or not. Raises ClientError where it does not say."""
        try:
            return _read_readiness(self._http.get(_READY, timeout=_READY_TIMEOUT_S))
        except httpx.TransportError as error:
            raise unreachable(self._http.base_url, error) from error

    def wait_for_ready(self, timeout_s: float = 30.0) -> None:
        """Return once the service is ready. Raises UnreachableError when it is not in time."""
        deadline = time.monotonic() + timeout_s
        while not self.is_ready():
            _check_deadline(self._http, deadline, timeout_s)
            time.sleep(_POLL_S)


class AsyncServiceClient(AsyncHttpClient):
    """The same for an event loop; see ServiceClient."""

    async def is_ready(self) -> bool:
        """Whether the service answers and says that it is ready."""
        try:
            return (await self._http.get(_READY, timeout=_READY_TIMEOUT_S)).is_success
        except httpx.TransportError:
            return False

    async def readiness(self) -> Readiness:
        """How the service is, in its own words, well or not. Raises ClientError where it does not say."""
        try:
            return _read_readiness(await self._http.get(_READY, timeout=_READY_TIMEOUT_S))
        except httpx.TransportError as error:
            raise unreachable(self._http.base_url, error) from error

    async def wait_for_ready(self, timeout_s: float = 30.0) -> None:
        """Return once the service is ready. Raises UnreachableError when it is not in time."""
        deadline = time.monotonic() + timeout_s
        while not await self.is_ready():
            _check_deadline(self._http, deadline, timeout_s)
            await asyncio.sleep(_POLL_S)


def _read_readiness(response: httpx.Response) -> Readiness:
    # Of a service that is not ready it is the body of a 503.
    try:
        return Readiness.model_validate_json(response.content)
    except ValidationError as error:
        raise ClientError(f"{response.url}: {response.status_code}, which does not tell how the service is") from error


def _check_deadline(http: httpx.Client | httpx.AsyncClient, deadline: float, timeout_s: float) -> None:
    if time.monotonic() >= deadline:
        raise UnreachableError(f"{http.base_url}: not ready within {timeout_s:g} s")
