"""Who may call: plain ASGI middlewares, so that WebSockets pass through them as well."""

import itertools
import re
import uuid
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from juniper_common import logs
from juniper_common.api_keys import ApiKeys
from juniper_common.body_limit import BodyLimit
from juniper_common.errors import (
    ErrorBody,
    ForbiddenError,
    UnauthorizedError,
    UnexpectedErrors,
    refuse_socket,
)
from juniper_common.host_guard import HostGuard
from juniper_common.metrics import METRICS_PATHS, Metrics, RequestMetrics
from juniper_common.rate_limit import HEADERS as RATE_LIMIT_HEADERS
from juniper_common.rate_limit import RateLimit
from juniper_common.settings import ServiceSettings

CLOSE_UNAUTHORIZED = 4001
CLOSE_FOREIGN_ORIGIN = 4003
OPEN_PATHS = frozenset({"/v1/health", "/v1/health/live", "/v1/health/ready", "/health", "/api/health"})
"""Health is never behind a key; the last two are the dashboard's, from before it had the others."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_NO_DEVICES = "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), serial=(), usb=()"
_TLS_FOR_S = 365 * 86_400
_API_CSP = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"


def middleware(
    settings: ServiceSettings,
    metrics: Metrics,
    error_body: ErrorBody,
    content_security_policy: str = _API_CSP,
    unlimited_prefixes: tuple[str, ...] = (),
    max_rows_bytes: int | None = None,
    key_guard: Middleware | None = None,
) -> list[Middleware]:
    """What stands before every service, outermost first.

    Args:
        settings: who may call, and how often.
        metrics: where requests are counted.
        error_body: how the service writes an error.
        content_security_policy: what its pages may load.
        unlimited_prefixes: paths that the rate limit leaves alone, as the many files of one page.
        max_rows_bytes: how large a request that brings rows may be; None: as large as any other.
        key_guard: what lets callers in, where showing a key is not the only way.
    """
    keys = ApiKeys(settings.keys)
    allowed = [origin.rstrip("/").lower() for origin in settings.origins]
    cors = Middleware(
        CORSMiddleware,
        allow_origins=allowed,
        allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=["Content-Type", "X-API-Key", "X-Request-ID"],
        expose_headers=["X-Request-ID", "Retry-After", *RATE_LIMIT_HEADERS],
    )
    rows_bytes = max_rows_bytes or settings.max_body_bytes
    return [
        Middleware(RequestIdentity),
        Middleware(RequestMetrics, metrics=metrics),
        Middleware(
            SecurityHeaders, content_security_policy=content_security_policy, is_behind_tls=settings.is_behind_tls
        ),
        *([cors] if allowed else []),
        Middleware(UnexpectedErrors, error_body=error_body),
        *_limits(settings.rate_limit_per_minute, keys, error_body, unlimited_prefixes),
        Middleware(HostGuard, settings=settings, error_body=error_body),
        Middleware(OriginGuard, allowed=allowed, error_body=error_body),
        key_guard or Middleware(ApiKeyGuard, keys=keys, error_body=error_body),
        Middleware(BodyLimit, max_bytes=settings.max_body_bytes, max_rows_bytes=rows_bytes),
    ]


def _limits(
    per_minute: int | None, keys: ApiKeys, error_body: ErrorBody, unlimited_prefixes: tuple[str, ...]
) -> list[Middleware]:
    if per_minute is None:
        return []
    return [
        Middleware(
            RateLimit,
            per_minute=per_minute,
            keys=keys,
            error_body=error_body,
            exempt_paths=OPEN_PATHS.union(METRICS_PATHS),
            exempt_prefixes=unlimited_prefixes,
        )
    ]


class RequestIdentity:
    """Takes the caller's X-Request-ID or makes one; echoes it, and has it in each log line of the request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        # One draw for all: the kernel's random bytes cost each request more than all else here.
        self._mine = uuid.uuid4().hex[:20]
        self._numbers = itertools.count()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on under the request's identity."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        identity = given if _REQUEST_ID.fullmatch(given) else f"{self._mine}{next(self._numbers):012x}"
        token = logs.request_id.set(identity)

        async def echoing(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["X-Request-ID"] = identity
            await send(message)

        try:
            # Its handler says of what; the request before it on this connection may have said so too.
            with logs.about():
                await self._app(scope, receive, echoing)
        finally:
            logs.request_id.reset(token)


class SecurityHeaders:
    """The headers that keep a browser from doing what nobody meant; a response's own value stands."""

    def __init__(self, app: ASGIApp, content_security_policy: str, is_behind_tls: bool = False) -> None:
        self._app = app
        headers = {
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Referrer-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Permissions-Policy": _NO_DEVICES,
            "Content-Security-Policy": content_security_policy,
        }
        if is_behind_tls:
            headers["Strict-Transport-Security"] = f"max-age={_TLS_FOR_S}"
        # As they go over the wire, so that it is not worked out again for each response.
        self._headers = [(name.lower().encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, adding the headers to the response."""

        async def adding(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                own = {name.lower() for name, _ in headers}
                message["headers"] = headers + [header for header in self._headers if header[0] not in own]
            await send(message)

        await self._app(scope, receive, adding if scope["type"] == "http" else send)


class OriginGuard:
    """Refuses what a page of a foreign origin sends: sockets (4003), and requests that change something (403).

    No Origin is no browser, and passes, unless Sec-Fetch-Site says that it is one after all. A service's own origin
    passes too: the host guard, which stands before this one, has seen that its name is no other page's.
    """

    def __init__(self, app: ASGIApp, allowed: Collection[str], error_body: ErrorBody) -> None:
        self._app = app
        self._allowed = frozenset(allowed)
        self._error_body = error_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what may pass."""
        changing = scope["type"] == "websocket" or (
            scope["type"] == "http" and scope["method"] not in ("GET", "HEAD", "OPTIONS")
        )
        if not changing or self._is_allowed(Headers(scope=scope)):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await refuse_socket(receive, send, CLOSE_FOREIGN_ORIGIN, "foreign origin")
        else:
            await self._error_body(ForbiddenError("Requests from pages of another origin are refused."))(
                scope, receive, send
            )

    def _is_allowed(self, headers: Headers) -> bool:
        if "origin" not in headers:
            return headers.get("sec-fetch-site") not in ("cross-site", "same-site")
        origin = headers["origin"].lower()
        if origin in self._allowed:
            return True
        try:
            parts = urlsplit(origin)
        except ValueError:  # As in http://[
            return False
        return bool(parts.netloc) and parts.netloc == headers.get("host", "").lower()


class ApiKeyGuard:
    """Asks for one of the keys in X-API-Key; without keys in the settings it asks for nothing."""

    def __init__(self, app: ASGIApp, keys: ApiKeys, error_body: ErrorBody) -> None:
        self._app = app
        self._keys = keys
        self._error_body = error_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what may pass."""
        if scope["type"] not in ("http", "websocket") or scope["path"] in OPEN_PATHS:
            refusal = None
        else:
            refusal = key_refusal(scope, self._keys)
        if refusal is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await refuse_socket(receive, send, CLOSE_UNAUTHORIZED, refusal.message)
        else:
            await self._error_body(refusal)(scope, receive, send)


def key_refusal(scope: Scope, keys: ApiKeys) -> UnauthorizedError | None:
    """Why the caller's key does not let it in; None where it does, or no key is asked for."""
    if not keys:
        return None
    given = Headers(scope=scope).get("x-api-key", "")
    if not given:
        return UnauthorizedError("Missing API key. Provide X-API-Key header.")
    return UnauthorizedError("Invalid API key.") if keys.index(given) is None else None
