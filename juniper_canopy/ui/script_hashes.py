"""Names each script that a page is built with by its hash, so that the browser runs no other one inside the page.

NiceGUI's pages carry scripts of their own, one of them with the page's elements in it, and no nonces. What is put into
a page later, as an `onerror=` in a dataset's name that got into HTML after all, is not among them and never runs.
"""

import base64
import hashlib
from collections.abc import Mapping
from html.parser import HTMLParser

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_SECURITY_POLICY: Mapping[str, str] = {
    "default-src": "'self'",
    "script-src": "'self' 'unsafe-eval'",  # Vue compiles its templates in the browser
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "connect-src": "'self'",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}


def policy(script_hashes: tuple[str, ...] = ()) -> str:
    """The Content-Security-Policy of an answer whose own scripts have these hashes."""
    directives = dict(CONTENT_SECURITY_POLICY)
    directives["script-src"] = " ".join([directives["script-src"], *script_hashes])
    return "; ".join(f"{name} {sources}" for name, sources in directives.items())


class ScriptHashes:
    """Adds the policy to each HTML answer. It stands within NiceGUI's compression, which leaves nothing to read."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on; an HTML answer is held until its scripts are known."""
        start: Message | None = None
        content = b""

        async def hashing(message: Message) -> None:
            nonlocal start, content
            if message["type"] == "http.response.start" and _is_html(message):
                start = message
                return
            if start is None or message["type"] != "http.response.body":
                await send(message)
                return
            content += message.get("body", b"")
            if not message.get("more_body", False):
                MutableHeaders(scope=start)["Content-Security-Policy"] = policy(hashes_of(content.decode()))
                await send(start)
                await send({"type": "http.response.body", "body": content})

        await self._app(scope, receive, hashing if scope["type"] == "http" else send)


def hashes_of(html: str) -> tuple[str, ...]:
    """The hashes of the scripts that stand in the page itself, as a policy writes them."""
    found = _Scripts()
    found.feed(html)
    found.close()
    return tuple(
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" for script in found.scripts
    )


class _Scripts(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.scripts: list[str] = []
        self._is_inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._is_inside = tag == "script" and "src" not in dict(attrs)
        if self._is_inside:
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._is_inside = self._is_inside and tag != "script"

    def handle_data(self, data: str) -> None:
        if self._is_inside:
            self.scripts[-1] += data


def _is_html(start: Message) -> bool:
    return MutableHeaders(scope=start).get("content-type", "").startswith("text/html")
