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
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from juniper_canopy.access.limits import PageLimit, SocketLimit
from juniper_canopy.access.login import Login, cookie_name
from juniper_canopy.access.session_guard import SessionGuard
from juniper_canopy.access.sessions import Sessions
from juniper_canopy.api import boundaries, datasets, older_health, runs, snapshots, system, training
from juniper_canopy.api.errors import error_body
from juniper_canopy.backend.protocol import BackendProtocol
from juniper_canopy.backend.services import OwnService, services_of
from juniper_canopy.settings import CanopySettings
from juniper_canopy.state.live import LiveState
from juniper_canopy.state.services import ServiceStates
from juniper_canopy.transport import live_socket
from juniper_canopy.transport.broadcaster import Broadcaster
from juniper_canopy.transport.follower import Follower
from juniper_canopy.transport.service_follower import ServiceFollower
from juniper_canopy.ui import script_hashes
from juniper_canopy.ui.assets import STATIC
from juniper_canopy.ui.kept_files import KeptFiles
from juniper_canopy.ui.pages import NICEGUI_PREFIX, PAGES, attach, file_routes
from juniper_canopy.ui.reported import Reported
from juniper_common import __version__, host, openapi
from juniper_common.api_keys import ApiKeys
from juniper_common.errors import NotFoundError, ServiceError, exception_handlers
from juniper_common.health import HealthReport
from juniper_common.metrics import Metrics
from juniper_common.notify import Notifier
from juniper_common.security import middleware

CANCEL_AGAIN_S = 0.5

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
        self.health = HealthReport("juniper-canopy", optional=backend.probes(), details=self._details)
        self._services = services_of(backend, OwnService(self.host, self.health))
        self._service_states = ServiceStates(self._services)
        self._service_follower = ServiceFollower(
            self._services, self._service_states, lambda: self.broadcaster.browsers > 0, time.time
        )
        self._keys = ApiKeys(settings.keys)
        self._sessions = Sessions(settings.keys, settings.session_hours * 3600)
        self._tasks: list[asyncio.Task[None]] = []
        self._follower = Follower(backend, self.live, self.broadcaster, lambda: self.reported.follow(self.live))
        Gauge("juniper_canopy_browsers", "Pages that are open.", registry=self.metrics.registry).set_function(
            lambda: self.broadcaster.browsers
        )

    def app(self, *, pages: bool = True) -> Starlette:
        """The Starlette app. NiceGUI's pages can be attached once per process."""
        routes = self._routes()
        app = Starlette(
            routes=routes,
            middleware=[*self._guards(), Middleware(KnownPaths, routes=[*routes, *file_routes()])],
            exception_handlers=exception_handlers(error_body),
            lifespan=self._lifespan,
        )
        if pages:
            attach(app, self.backend, self.reported, has_login=bool(self._keys))
        return app

    async def self_check(self) -> None:
        """Raises when the page could not be drawn: its modules or the state folder are not there."""
        if not (STATIC / "page.css").is_file():
            raise FileNotFoundError(f"the dashboard's files are not in {STATIC}")
        self.settings.state_dir.mkdir(parents=True, exist_ok=True)

    def problem(self) -> str | None:
        """Which of the tasks has ended, for the watchdog: the page would show old data for ever."""
        ended = [task.get_name() for task in self._tasks if task.done()]
        return f"ended: {', '.join(ended)}" if ended else None

    def _guards(self) -> list[Middleware]:
        settings = self.settings
        key_guard = Middleware(
            SessionGuard,
            keys=self._keys,
            sessions=self._sessions,
            cookie=cookie_name(is_secure=settings.has_secure_cookies),
            error_body=error_body,
        )
        guards = middleware(
            settings,
            self.metrics,
            error_body,
            script_hashes.policy(),
            (NICEGUI_PREFIX,),
            key_guard=key_guard if self._keys else None,
        )
        # Outermost, so that all others know who calls.
        proxies = [Middleware(ProxyHeadersMiddleware, trusted_hosts=list(settings.trusted_proxies))]
        return [
            *(proxies if settings.trusted_proxies else []),
            *guards,
            Middleware(PageLimit, pages=["/"], per_minute=settings.pages_per_minute, error_body=error_body),
            Middleware(SocketLimit),
            Middleware(KeptFiles),
        ]

    def _routes(self) -> list[BaseRoute]:
        operations = [
            *self.health.operations(),
            *older_health.operations(),
            *self.metrics.operations(),
            *host.operations(self.host),
            *training.operations(self.backend, self.live, self.broadcaster),
            *runs.operations(self.backend),
            *snapshots.operations(self.backend),
            *datasets.operations(self.backend),
            *system.operations(self._services, self._service_states, self._service_follower),
            *boundaries.operations(self.backend),
        ]
        is_secure = self.settings.has_secure_cookies
        login = Login(self._keys, self._sessions, is_secure=is_secure).routes() if self._keys else []
        return [
            *login,
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
            asyncio.create_task(self._service_follower.run(), name="services"),
        ]
        for task in self._tasks:
            task.add_done_callback(_log_failure)
        try:
            yield
        finally:
            await end(self._tasks)
            await self.backend.close()


async def end(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Cancel tasks until they are over: what gives up a connection at that very moment may swallow a cancellation."""
    while pending := [task for task in tasks if not task.done()]:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=CANCEL_AGAIN_S)


def _log_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        log.critical("the task %s ended", task.get_name(), exc_info=error)


class KnownPaths:
    """Answers 404 and 405 to what no route or page takes: NiceGUI would build a page, and hold it for a minute."""

    def __init__(self, app: ASGIApp, routes: Sequence[BaseRoute]) -> None:
        self._app = app
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what is known."""
        match = self._match(scope) if scope["type"] == "http" else Match.FULL
        if match is Match.FULL:
            await self._app(scope, receive, send)
            return
        refusal = error_body(NotFoundError(f"There is no {scope['path']}."))
        if match is Match.PARTIAL:
            refusal = error_body(ServiceError("Method Not Allowed"))
            refusal.status_code = 405
        await refusal(scope, receive, send)

    def _match(self, scope: Scope) -> Match:
        if scope["path"] in PAGES:
            return Match.FULL
        return max((route.matches(scope)[0] for route in self._routes), key=lambda match: match.value)
