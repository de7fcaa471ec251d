"""`/login` and `/logout`: a key is shown once, and a cookie is what the browser shows from then on."""

import logging
import math
import re
import time
from collections.abc import Callable
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from juniper_canopy.access import login_page
from juniper_canopy.access.session_guard import LOGIN_PATH, LOGOUT_PATH
from juniper_canopy.access.sessions import Sessions
from juniper_common.api_keys import ApiKeys
from juniper_common.errors import BadRequestError, TooLargeError
from juniper_common.rate_limit import TokenBuckets, caller_address

TRIES_PER_MINUTE = 10
"""Keys that one address may try, right or wrong."""

MAX_FORM_BYTES = 4096

_OWN_PATH = re.compile(r"/(?!/)[!#-\[\]-~]*")
"""No second slash, which would begin a host; no backslash, which browsers take for one; no quote, space or control."""

_FORM = "application/x-www-form-urlencoded"

log = logging.getLogger(__name__)


def cookie_name(*, is_secure: bool) -> str:
    """What the session's cookie is called: `__Host-` has the browser see to it that no other host sets it."""
    return "__Host-juniper_session" if is_secure else "juniper_session"


class Login:
    """The log-in of a dashboard with keys.

    Args:
        keys: the dashboard's keys.
        sessions: who has logged in.
        is_secure: whether browsers come by HTTPS.
        clock_s: seconds that never go back.
    """

    def __init__(
        self, keys: ApiKeys, sessions: Sessions, *, is_secure: bool, clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._keys = keys
        self._sessions = sessions
        self._is_secure = is_secure
        self._cookie = cookie_name(is_secure=is_secure)
        self._tries = TokenBuckets(TRIES_PER_MINUTE, clock_s)

    def routes(self) -> list[BaseRoute]:
        """The form, what it sends, and the way out."""
        return [
            Route(LOGIN_PATH, self.show, methods=["GET"]),
            Route(LOGIN_PATH, self.log_in, methods=["POST"]),
            Route(LOGOUT_PATH, self.log_out, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """The form; whoever is logged in already goes on."""
        wanted = own_path(request.query_params.get("next", "/"))
        if self._sessions.is_open(request.cookies.get(self._cookie, "")):
            return RedirectResponse(wanted, 303)
        if request.headers.get("sec-fetch-site") == "cross-site":
            # A link of another site brings no strict cookie along, but what this page asks for does.
            return _page(login_page.going_on(wanted))
        return _page(login_page.form(wanted))

    async def log_in(self, request: Request) -> Response:
        """Open a session for whoever shows a key. Raises BadRequestError, TooLargeError."""
        address = caller_address(request.scope)
        sent = await _read_form(request)
        wanted = own_path(sent.get("next", "/"))
        # Also of those who show the right one: else a guess would cost nothing but its answer.
        allowance = self._tries.take(address)
        if not allowance.is_granted:
            log.warning("log-in from %s refused: too many tries", address)
            wait_s = max(1, math.ceil(allowance.next_in_s))
            problem = f"Too many tries. The next one is possible in {wait_s} s."
            return _page(login_page.form(wanted, problem), 429, {"Retry-After": str(wait_s)})
        key = self._keys.index_of(sent.get("key", "").encode())
        if key is None:
            log.warning("log-in from %s refused: wrong key", address)
            return _page(login_page.form(wanted, "This is none of the dashboard's keys."), 401)
        log.info("log-in from %s", address)
        response = RedirectResponse(wanted, 303)
        response.set_cookie(
            self._cookie,
            self._sessions.open(key),
            max_age=int(self._sessions.lasts_s),
            httponly=True,
            samesite="strict",
            secure=self._is_secure,
        )
        return response

    async def log_out(self, request: Request) -> Response:
        """End the session, and have the browser forget it."""
        token = request.cookies.get(self._cookie, "")
        if self._sessions.is_open(token):
            self._sessions.end(token)
            log.info("log-out from %s", caller_address(request.scope))
        response = RedirectResponse(LOGIN_PATH, 303)
        response.delete_cookie(self._cookie, httponly=True, samesite="strict", secure=self._is_secure)
        return response


def own_path(wanted: str) -> str:
    """The path if it is one of this host, as it would go into an address; the dashboard's first page else."""
    # `//host` and `/\host` would be another host's.
    is_own = _OWN_PATH.fullmatch(wanted) and wanted.partition("?")[0] not in (LOGIN_PATH, LOGOUT_PATH)
    return wanted if is_own else "/"


async def _read_form(request: Request) -> dict[str, str]:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise BadRequestError(f"The log-in takes {_FORM}.")
    content = b""
    async for chunk in request.stream():
        content += chunk
        if len(content) > MAX_FORM_BYTES:
            raise TooLargeError(f"The log-in takes no more than {MAX_FORM_BYTES} bytes.")
    try:
        fields = parse_qs(content.decode("ascii"), max_num_fields=10, errors="strict")
    except ValueError:  # UnicodeDecodeError is one
        raise BadRequestError("The log-in could not read what was sent.") from None
    return {name: values[-1] for name, values in fields.items()}


def _page(html: str, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    own = {"Cache-Control": "no-store", "Content-Security-Policy": login_page.CONTENT_SECURITY_POLICY}
    return HTMLResponse(html, status, own | (headers or {}))
