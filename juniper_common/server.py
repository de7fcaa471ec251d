"""Runs one ASGI app on one socket, and says READY only when both are there: the socket bound, the self-check passed."""

import asyncio
import contextlib
import faulthandler
import logging
import socket
import sys
from collections.abc import Awaitable, Callable, Generator, Sequence
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from juniper_common import logs, recent_logs, starts
from juniper_common.listening import listen
from juniper_common.notify import Notifier, Watchdog, WellnessCheck
from juniper_common.settings import ServiceSettings

GRACEFUL_SHUTDOWN_S = 10
"""How long open requests may take to end: well below the units' TimeoutStopSec."""

LAST_CALLERS_S = 0.1
"""How long, once nobody new is let in, who just was may take to send a request, which is answered then."""

KEEP_ALIVE_S = 75
"""Longer than clients keep a connection that nobody uses: one of them would send on it just when it is closed."""

MAX_HEAD_BYTES = 1 << 16
"""Of a request line and its headers; what came with the first of them is not counted."""

MAX_WAITING_REQUESTS = 1000
"""Requests that a connection may have sent before the one ahead of them was answered."""

MAX_SOCKET_MESSAGE_BYTES = 1 << 20
"""A larger message of a client closes its socket (1009)."""

SOCKET_CLOSE_S = 10.0
"""How long a client may take to read what is left for it once its socket was closed."""

log = logging.getLogger(__name__)

SelfCheck = Callable[[], Awaitable[None]]
"""Raises when the service could not do its work."""


def serve(
    app: ASGIApp,
    settings: ServiceSettings,
    *,
    self_check: SelfCheck,
    checks: Sequence[WellnessCheck] = (),
    notifier: Notifier | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT. Ends the process with 75 when the port is taken, 1 when the self-check fails.

    Args:
        app: what to serve; tasks belong into its lifespan.
        settings: where to listen, whether with TLS, and how loud to log.
        self_check: awaited once, after the socket is bound and before READY.
        checks: asked at each watchdog ping; one objection and systemd restarts the service.
        notifier: the service's own, which the caller closes; its STATUS stays the service's once it has told one.
    """
    # A service that hangs is ended with SIGABRT: the log then has where each of its threads was.
    faulthandler.enable()
    logs.configure(settings.log_level, f"juniper-{settings.service_name()}", settings.secrets)
    recent_logs.install(settings.secrets)
    context = settings.server_tls()
    config = uvicorn.Config(
        app,
        ssl_context_factory=(lambda *_: context) if context else None,
        log_config=None,
        access_log=False,
        server_header=False,
        # Else any process of this host says who it is: by default uvicorn believes X-Forwarded-For from the loopback.
        proxy_headers=False,
        lifespan="on",
        http=Requests,
        ws=Sockets,
        # Compressed for each of its receivers anew, a message costs them all many times what encoding it once does.
        ws_per_message_deflate=False,
        ws_max_size=MAX_SOCKET_MESSAGE_BYTES,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=GRACEFUL_SHUTDOWN_S,
    )
    with contextlib.ExitStack() as stack:
        speaker = notifier or stack.enter_context(contextlib.closing(Notifier()))
        listener = listen(settings, speaker)
        starts.count(settings.state_dir)  # Only now: whoever finds the port taken did not start.
        NotifyingServer(config, speaker, self_check, checks).run(sockets=[listener])


class Requests(HttpToolsProtocol):
    """uvicorn's HTTP, but for callers that send heads or requests without end: all of that would be held for them."""

    _n_head_bytes = 0

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self._n_head_bytes = 0

    def on_body(self, body: bytes) -> None:
        """A piece of a body, which is no head; but more headers may follow the last one."""
        super().on_body(body)
        self._n_head_bytes = 0

    def data_received(self, data: bytes) -> None:
        """Take what came, and cut the caller off where that is too much."""
        self._n_head_bytes += len(data)
        super().data_received(data)
        if self._n_head_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response(f"The head of the request is longer than {MAX_HEAD_BYTES} bytes.")
        if len(self.pipeline) > MAX_WAITING_REQUESTS:
            self.transport.abort()


class Sockets(WebSocketsSansIOProtocol):
    """uvicorn's WebSockets, but for a client that does not read: what it is sent would wait for it without end."""

    close_s = SOCKET_CLOSE_S

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # What it says of each connection has the whole address in it, and that a key where a client puts it there.
        self.logger = logging.getLogger("uvicorn.sockets")

    def handle_ping(self) -> None:
        """Answer; not a client that does not read, whose pongs would pile up."""
        if self.writable.is_set():
            super().handle_ping()
        else:
            self.conn.data_to_send()  # it is the pong, and goes nowhere

    def on_task_complete(self, task: asyncio.Task[None]) -> None:
        """Cut the client off some time after the app is through with it."""
        super().on_task_complete(task)
        self.loop.call_later(self.close_s, self.transport.abort)


class NotifyingServer(uvicorn.Server):
    """uvicorn's server with the sd_notify protocol around it."""

    def __init__(
        self,
        config: uvicorn.Config,
        notifier: Notifier,
        self_check: SelfCheck,
        checks: Sequence[WellnessCheck],
    ) -> None:
        super().__init__(config)
        self._notifier = notifier
        self._self_check = self_check
        self._watchdog = Watchdog.from_environment(notifier, checks)
        self._watchdog_task: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to accept, then check, then say so. The lifespan would be too early: nobody is answered yet there."""
        await super().startup(sockets)
        try:
            await self._self_check()
        except Exception:
            log.critical("the self-check failed", exc_info=True)
            self._notifier.status("the self-check failed")
            await self.shutdown(sockets)
            sys.exit(1)
        if not self._notifier.has_status:
            self._notifier.status("ready")
        self._notifier.ready()
        if self._watchdog is not None:
            self._watchdog_task = asyncio.create_task(self._watchdog.run(), name="watchdog")

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Say so, stop pinging, and let open requests end, the ones of those too who are only just let in."""
        self._notifier.stopping()
        # First of all: who calls from now on is the next process's, where the manager keeps the socket.
        for server in self.servers:
            server.close()
        await asyncio.sleep(LAST_CALLERS_S)
        if self._watchdog_task is not None:
            self._watchdog_task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watchdog_task
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """As uvicorn does, but without raising the signal again: a service that was asked to stop ends with 0."""
        with super().capture_signals():
            yield
            self._captured_signals.clear()
