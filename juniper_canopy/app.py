"""Wires the dashboard: backend, live state, stream, REST, health and pages in one Starlette app."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Sequence

from prometheus_client import Gauge
from pydantic import BaseModel, JsonValue
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send

from juniper_canopy.api.errors import error_body
from juniper_canopy.api.routes import DashboardApi
from juniper_canopy.backend.protocol import BackendProtocol
from juniper_canopy.settings import CanopySettings
from juniper_canopy.state.live import LiveState
from juniper_canopy.transport import live_socket
from juniper_canopy.transport.broadcaster import Broadcaster
from juniper_canopy.transport.follower import Follower
from juniper_canopy.ui.assets import STATIC
from juniper_canopy.ui.pages import NICEGUI_PREFIX, PAGES, attach
from juniper_canopy.ui.reported import Reported
from juniper_common import __version__, host, openapi
from juniper_common.errors import NotFoundError, exception_handlers
from juniper_common.health import HealthReport
from juniper_common.metrics import Metrics
from juniper_common.notify import Notifier
from juniper_common.security import middleware

CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",  # Vue compiles its templates in the browser
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)

log = logging.getLogger(__name__)


class ErrorDetail(BaseModel):
    """The body of every refusal."""

    detail: JsonValue


class Dashboard:
    """The parts of one process's dashboard, and the app that they make."""

    def __init__(self, settings: CanopySettings, backend: BackendProtocol, notifier: Notifier | None = None) -> None:
        self.settings = settings
        self.backend = backend
        self.live = LiveState(time.monotonic)
        self.broadcaster = Broadcaster(self.live)
        self.reported = Reported()
        self.metrics = Metrics()
        self.host = host.Host("juniper-canopy", settings.state_dir, notifier=notifier)
        self._tasks: list[asyncio.Task[None]] = []
        self._follower = Follower(backend, self.live, self.broadcaster, lambda: self.reported.follow(self.live))
        Gauge("juniper_canopy_browsers", "Pages that are open.", registry=self.metrics.registry).set_function(
            lambda: self.broadcaster.browsers
        )

    def app(self, *, pages: bool = True) -> Starlette:
        """The Starlette app. NiceGUI's pages can be attached once per process."""
        routes = self._routes()
        guards = middleware(self.settings, self.metrics, error_body, CONTENT_SECURITY_POLICY, (NICEGUI_PREFIX,))
        app = Starlette(
            routes=routes,
            middleware=[*guards, Middleware(KnownPaths, routes=routes)],
            exception_handlers=exception_handlers(error_body),
            lifespan=self._lifespan,
        )
        if pages:
            attach(app, self.backend, self.reported)
        return app

    async def self_check(self) -> None:
        """Raises when the page could not be drawn: its modules or the state folder are not there."""
        if not (STATIC / "canopy.css").is_file():
            raise FileNotFoundError(f"the dashboard's files are not in {STATIC}")
        self.settings.state_dir.mkdir(parents=True, exist_ok=True)

    def problem(self) -> str | None:
        """Which of the tasks has ended, for the watchdog: the page would show old data for ever."""
        ended = [task.get_name() for task in self._tasks if task.done()]
        return f"ended: {', '.join(ended)}" if ended else None

    def _routes(self) -> list[BaseRoute]:
        health = HealthReport("juniper-canopy", optional=self.backend.probes(), details=self._details)
        operations = [
            *health.operations(),
            *self.metrics.operations(),
            *host.operations(self.host),
            *DashboardApi(self.backend, self.live, self.broadcaster).operations(),
        ]
        return [
            *openapi.routes(operations),
            *openapi.document_routes("Juniper Canopy", __version__, operations, ErrorDetail),
            *live_socket.routes(self.broadcaster),
        ]

    def _details(self) -> dict[str, JsonValue]:
        status = self.live.status
        return {
            "mode": self.backend.mode,
            "active_connections": self.broadcaster.browsers,
            "training_active": bool(status and status.training_active),
        }

    @contextlib.asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        # Every task is owned here: NiceGUI's own lifespan is around this one.
        self._tasks = [
            asyncio.create_task(self._follower.follow(), name="follow"),
            asyncio.create_task(self._follower.picture(), name="picture"),
            asyncio.create_task(self.broadcaster.run(), name="broadcast"),
        ]
        for task in self._tasks:
            task.add_done_callback(_log_failure)
        try:
            yield
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await self.backend.close()


def _log_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        log.critical("the task %s ended", task.get_name(), exc_info=error)


class KnownPaths:
    """Answers 404 to what is neither a route nor a page: NiceGUI would build a page, and hold it for a minute."""

    def __init__(self, app: ASGIApp, routes: Sequence[BaseRoute]) -> None:
        self._app = app
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what is known."""
        if scope["type"] == "http" and not self._is_known(scope):
            await error_body(NotFoundError(f"There is no {scope['path']}."))(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _is_known(self, scope: Scope) -> bool:
        path: str = scope["path"]
        if path in PAGES or path.startswith(NICEGUI_PREFIX):
            return True
        return any(route.matches(scope)[0] is not Match.NONE for route in self._routes)
