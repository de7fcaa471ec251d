"""How often one caller may ask: a token bucket for each key, or for each address where no key is shown.

A bucket holds as many requests as a minute allows and fills evenly: a burst is served, and then one request each time
that a token has come. Whoever shows a wrong key is counted by address, so that keys cannot be guessed faster.
"""

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from juniper_common.api_keys import ApiKeys
from juniper_common.errors import ErrorBody, TooManyRequestsError, refuse_socket

CLOSE_TOO_FAST = 4029
MAX_CALLERS = 10_000
"""Buckets held at once: who has not asked for the longest is forgotten first, whose bucket is the fullest."""

HEADERS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
"""Requests a minute, requests left now, and seconds until as many are left again as a minute allows."""

_WINDOW_S = 60.0
_ROUNDING_S = 1e-6


@dataclass(frozen=True)
class Allowance:
    """What the bucket of one caller says to one request."""

    is_granted: bool
    remaining: int
    full_in_s: float
    next_in_s: float
    """How long until a request would be granted; 0 where one would be now."""


class TokenBuckets:
    """Each caller's bucket, kept as the one number that says it all: when it will be full."""

    def __init__(self, per_minute: int, clock_s: Callable[[], float], max_callers: int = MAX_CALLERS) -> None:
        self._cost_s = _WINDOW_S / per_minute
        self._clock_s = clock_s
        self._max_callers = max_callers
        self._full_at_s: OrderedDict[str, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._full_at_s)

    def take(self, caller: str) -> Allowance:
        """Take a token from the caller's bucket, if there is one."""
        now_s = self._clock_s()
        full_at_s = max(self._full_at_s.pop(caller, now_s), now_s)
        is_granted = full_at_s + self._cost_s <= now_s + _WINDOW_S + _ROUNDING_S
        if is_granted:
            full_at_s += self._cost_s
        self._full_at_s[caller] = full_at_s
        if len(self._full_at_s) > self._max_callers:
            self._full_at_s.popitem(last=False)
        spare_s = now_s + _WINDOW_S - full_at_s + _ROUNDING_S
        return Allowance(
            is_granted=is_granted,
            remaining=int(spare_s / self._cost_s),
            full_in_s=full_at_s - now_s,
            next_in_s=max(0.0, self._cost_s - spare_s),
        )


class RateLimit:
    """Refuses who asks too often: requests with 429 and Retry-After, sockets with 4029.

    Args:
        app: what is behind it.
        per_minute: how many requests of one caller a minute allows.
        keys: the service's keys; a caller with one of them has a bucket of its own wherever it is.
        error_body: how the service writes an error.
        exempt_paths: what may be asked without end: health and metrics.
        exempt_prefixes: the same for whatever is below, as the files of a page.
        clock_s: seconds that never go back.
    """

    def __init__(
        self,
        app: ASGIApp,
        per_minute: int,
        keys: ApiKeys,
        error_body: ErrorBody,
        exempt_paths: Collection[str] = (),
        exempt_prefixes: tuple[str, ...] = (),
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app = app
        self._per_minute = per_minute
        self._keys = keys
        self._error_body = error_body
        self._exempt_paths = frozenset(exempt_paths)
        self._exempt_prefixes = exempt_prefixes
        self._buckets = TokenBuckets(per_minute, clock_s)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what may pass, and say on every answer what is left."""
        if scope["type"] not in ("http", "websocket") or self._is_exempt(scope["path"]):
            await self._app(scope, receive, send)
            return
        allowance = self._buckets.take(self._caller(scope))
        if scope["type"] == "websocket":
            if allowance.is_granted:
                await self._app(scope, receive, send)
            else:
                await refuse_socket(receive, send, CLOSE_TOO_FAST, "too many requests")
            return

        async def telling(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self._headers(allowance))
            await send(message)

        await (self._app if allowance.is_granted else self._refusal())(scope, receive, telling)

    def _is_exempt(self, path: str) -> bool:
        return path in self._exempt_paths or path.startswith(self._exempt_prefixes)

    def _caller(self, scope: Scope) -> str:
        key = self._keys.index(Headers(scope=scope).get("x-api-key", ""))
        return f"key {key}" if key is not None else caller_address(scope)

    def _refusal(self) -> ASGIApp:
        return self._error_body(TooManyRequestsError(f"more than {self._per_minute} requests a minute"))

    def _headers(self, allowance: Allowance) -> dict[str, str]:
        numbers = (self._per_minute, allowance.remaining, math.ceil(allowance.full_in_s))
        headers = {name: str(number) for name, number in zip(HEADERS, numbers, strict=True)}
        if not allowance.is_granted:
            headers["Retry-After"] = str(max(1, math.ceil(allowance.next_in_s)))
        return headers


def caller_address(scope: Scope) -> str:
    """The caller's address; of an IPv6 address the network, since one caller has a whole /64."""
    host: str = (scope.get("client") or ("unknown", 0))[0]
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    return str(address.ipv4_mapped or ipaddress.IPv6Network((address.packed, 64), strict=False))
