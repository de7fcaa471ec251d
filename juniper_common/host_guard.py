"""Under which names a service may be called: a page can point a name of its own at this host, and then read here.

That is DNS rebinding. The browser takes the answers for the page's own, so no Origin guard sees it; but it says in
Host which name it went to.
"""

import functools
import ipaddress
import socket
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from juniper_common.errors import ErrorBody, MisdirectedError, refuse_socket
from juniper_common.settings import ServiceSettings

CLOSE_FOREIGN_HOST = 4003
"""As for a page of a foreign origin, which it is."""


class HostGuard:
    """Refuses what is called by a name that is none of this service's: requests (421), and sockets (4003).

    An address is nobody's to point elsewhere, nor are the loopback's names and this host's. No Host is no browser.
    """

    def __init__(self, app: ASGIApp, settings: ServiceSettings, error_body: ErrorBody) -> None:
        self._app = app
        self._names = _names(settings)
        self._setting = settings.spelled(("allowed_hosts",))
        self._error_body = error_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what may pass."""
        if scope["type"] not in ("http", "websocket") or self._is_ours(Headers(scope=scope).get("host", "")):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await refuse_socket(receive, send, CLOSE_FOREIGN_HOST, "foreign host")
        else:
            refusal = MisdirectedError(f"This service has no such name; others than its own stand in {self._setting}.")
            await self._error_body(refusal)(scope, receive, send)

    def _is_ours(self, host: str) -> bool:
        if not host:
            return True
        name = _name(f"//{host}")
        return name in self._names or name.endswith(".localhost") or _is_address(name) or name in _host_names()


def _names(settings: ServiceSettings) -> frozenset[str]:
    told = (settings.bind[0], *settings.allowed_hosts)
    return frozenset({"localhost", *map(_name, settings.origins), *(_name(f"//{host}") for host in told)}) - {""}


def _name(address: str) -> str:
    """The name in an address, as all its spellings are compared; none where it is no address."""
    try:
        return (urlsplit(address).hostname or "").removesuffix(".")
    except ValueError:  # As in http://[
        return ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


@functools.cache
def _host_names() -> frozenset[str]:
    # Once per process: the full name is asked of the resolver, and all requests wait for that.
    return frozenset({socket.gethostname().lower(), socket.getfqdn().lower()})
