"""One line in the log for each write: who did what to which datasets, from where, and what came of it."""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from juniper_common import logs
from juniper_common.api_keys import ApiKeys
from juniper_common.metrics import WatchingSend
from juniper_common.openapi import Operation

_WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_AUDITED = "/v1/datasets"
_NOTES = "juniper_data.audit"
_MAX_SOURCE = 300

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Notes:
    datasets: list[str] = field(default_factory=list)
    source: str = ""


def note(request: Request, *dataset_ids: str, source: str = "") -> None:
    """Have the line of this request tell of datasets that it touched, and of the generator or file that it named."""
    if len(dataset_ids) == 1:
        logs.dataset_id.set(dataset_ids[0])
    notes = request.scope.get(_NOTES)
    if isinstance(notes, _Notes):
        notes.datasets += dataset_ids
        notes.source = source or notes.source


class Audit:
    """A middleware outside of those that refuse, so that their refusals are told too.

    Args:
        app: what is behind it.
        keys: the service's keys; a caller is told by the first hex digits of the SHA-256 of the one it shows.
        operations: the service's, for their names.
    """

    def __init__(self, app: ASGIApp, keys: Sequence[str], operations: Sequence[Operation]) -> None:
        self._app = app
        self._keys = ApiKeys(keys)
        self._names = [f"key:{hashlib.sha256(key.encode()).hexdigest()[:8]}" for key in keys]
        self._operations: Mapping[tuple[str, str], str] = {
            (operation.method, operation.path): operation.id for operation in operations
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and tell of it."""
        if scope["type"] != "http" or scope["method"] not in _WRITES or not scope["path"].startswith(_AUDITED):
            await self._app(scope, receive, send)
            return
        notes = scope[_NOTES] = _Notes()
        watching = WatchingSend(send)
        try:
            await self._app(scope, receive, watching)
        finally:
            # Quoted: what a caller may choose can neither end the line nor pass for another field.
            log.info(
                "%s status=%d datasets=%s source=%s who=%s from=%s",
                self._operation(scope),
                watching.status,
                ",".join(map(quote, notes.datasets)) or "-",
                quote(notes.source[:_MAX_SOURCE]) or "-",
                self._caller(scope),
                quote((scope.get("client") or ("unknown",))[0], safe=":"),
            )

    def _operation(self, scope: Scope) -> str:
        method: str = scope["method"]
        # Without a route it was refused before, or there is none.
        route: str = getattr(scope.get("route"), "path", "")
        return self._operations.get((method, route)) or f"{method}:{quote(scope['path'])}"

    def _caller(self, scope: Scope) -> str:
        index = self._keys.index(Headers(scope=scope).get("x-api-key", "")) if self._keys else None
        return "anonymous" if index is None else self._names[index]
