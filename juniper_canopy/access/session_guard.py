"""Lets in whoever shows a key, or the cookie of a session; sends browsers that show neither to the log-in."""

import asyncio
from collections.abc import Collection
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from juniper_canopy.access.sessions import Sessions
from juniper_common.api_keys import ApiKeys
from juniper_common.errors import ErrorBody, ForbiddenError, refuse_socket
from juniper_common.security import CLOSE_FOREIGN_ORIGIN, CLOSE_UNAUTHORIZED, OPEN_PATHS, key_refusal

LOGIN_PATH = "/login"
LOGOUT_PATH = "/logout"
FAVICON_PATH = "/favicon.ico"

CHECK_S = 15.0
"""A socket is closed so long after its session ended, at most."""

_PROGRAM_PREFIXES = ("/api/", "/v1/", "/_nicegui")


class SessionGuard:
    """Asks for one of the keys in X-API-Key, or for a session's cookie.

    Args:
        app: what is behind it.
        keys: the dashboard's keys.
        sessions: who has logged in.
        cookie: the name of the cookie that holds a session's token.
        error_body: how the service writes an error.
        open_paths: what answers everybody, beside health.
        check_s: how often it is looked whether the session of an open socket has ended.
    """

    def __init__(
        self,
        app: ASGIApp,
        keys: ApiKeys,
        sessions: Sessions,
        cookie: str,
        error_body: ErrorBody,
        open_paths: Collection[str] = (LOGIN_PATH, LOGOUT_PATH, FAVICON_PATH),
        check_s: float = CHECK_S,
    ) -> None:
        self._app = app
        self._keys = keys
        self._sessions = sessions
        self._cookie = cookie
        self._error_body = error_body
        self._open_paths = OPEN_PATHS.union(open_paths)
        self._check_s = check_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what may pass."""
        if scope["type"] not in ("http", "websocket") or scope["path"] in self._open_paths:
            await self._app(scope, receive, send)
        elif (token := self._token(scope)) is not None:
            await self._with_session(token, scope, receive, send)
        elif (refusal := key_refusal(scope, self._keys)) is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await refuse_socket(receive, send, CLOSE_UNAUTHORIZED, refusal.message)
        elif _asks_for_a_page(scope):
            await RedirectResponse(_login_address(scope), 303)(scope, receive, send)
        else:
            await self._error_body(refusal)(scope, receive, send)

    def _token(self, scope: Scope) -> str | None:
        connection = HTTPConnection(scope)
        if "x-api-key" in connection.headers:
            return None  # Who shows a key is judged by it.
        token = connection.cookies.get(self._cookie, "")
        return token if self._sessions.is_open(token) else None

    async def _with_session(self, token: str, scope: Scope, receive: Receive, send: Send) -> None:
        if not _comes_from_own_page(scope):
            if scope["type"] == "websocket":
                await refuse_socket(receive, send, CLOSE_FOREIGN_ORIGIN, "no origin")
                return
            problem = "With a session only the dashboard's own pages may change something; programs show X-API-Key."
            await self._error_body(ForbiddenError(problem))(scope, receive, send)
        elif scope["type"] == "websocket":
            await _Lasting(self._sessions, token, self._check_s).run(self._app, scope, receive, send)
        else:
            await self._app(scope, receive, send)


class _Lasting:
    """A WebSocket for as long as its session."""

    def __init__(self, sessions: Sessions, token: str, check_s: float) -> None:
        self._sessions = sessions
        self._token = token
        self._check_s = check_s
        self._is_closed = False

    async def run(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the app, and close the socket under it when the session ends: to the app, its client left."""
        ending = asyncio.create_task(self._until_ended(), name="session-end")

        async def receive_until_ended() -> Message:
            arriving = asyncio.ensure_future(receive())
            try:
                await asyncio.wait({arriving, ending}, return_when=asyncio.FIRST_COMPLETED)
                if arriving.done():
                    return arriving.result()
            finally:
                arriving.cancel()
            if not self._is_closed:
                self._is_closed = True
                await send({"type": "websocket.close", "code": CLOSE_UNAUTHORIZED, "reason": "the session has ended"})
            return {"type": "websocket.disconnect", "code": CLOSE_UNAUTHORIZED}

        async def send_until_ended(message: Message) -> None:
            if not self._is_closed:  # The app may not have heard yet.
                await send(message)

        try:
            await app(scope, receive_until_ended, send_until_ended)
        finally:
            ending.cancel()

    async def _until_ended(self) -> None:
        while self._sessions.is_open(self._token):
            await asyncio.sleep(self._check_s)


def _comes_from_own_page(scope: Scope) -> bool:
    # Of an Origin that is there the Origin guard has already said that it is our own.
    if scope["type"] == "http" and scope["method"] in ("GET", "HEAD", "OPTIONS"):
        return True
    headers = Headers(scope=scope)
    return "origin" in headers or headers.get("sec-fetch-site") == "same-origin"


def _asks_for_a_page(scope: Scope) -> bool:
    is_read = scope["method"] in ("GET", "HEAD")
    path: str = scope["path"]
    return is_read and not path.startswith(_PROGRAM_PREFIXES) and "text/html" in Headers(scope=scope).get("accept", "")


def _login_address(scope: Scope) -> str:
    query = scope["query_string"].decode("latin-1")
    wanted = quote(scope["path"]) + (f"?{query}" if query else "")
    return LOGIN_PATH if wanted == "/" else f"{LOGIN_PATH}?next={quote(wanted, safe='/')}"
