"""Prometheus metrics: requests per route with their durations, and whatever a service adds to its registry."""

import logging
import time
from urllib.parse import quote

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.process_collector import ProcessCollector
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from juniper_common.openapi import Operation

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

METRICS_PATHS = {"/v1/metrics/prometheus": "get_metrics_text", "/metrics": "get_metrics_text_unversioned"}
"""Each address of the Prometheus text, with its operation's id."""

log = logging.getLogger(__name__)


class Metrics:
    """One process's registry, with what every service counts."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        labels = ("method", "route", "status")
        self.requests = Counter("juniper_http_requests", "Requests answered.", labels, registry=self.registry)
        self.durations = Histogram(
            "juniper_http_request_duration_seconds",
            "Time to the last byte.",
            ("method", "route"),
            registry=self.registry,
        )

    def operations(self) -> list[Operation]:
        """The Prometheus text, at both of its addresses."""

        async def get_metrics_text(_: Request) -> Response:
            """The process's figures, as Prometheus reads them."""
            return Response(generate_latest(self.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

        return [
            Operation(method="GET", path=path, handler=get_metrics_text, responses={200: "text/plain"}, name=name)
            for path, name in METRICS_PATHS.items()
        ]


class WatchingSend:
    """A `send` that knows the status of the answer."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status = 499  # What proxies count for a caller that left before the answer.

    async def __call__(self, message: Message) -> None:
        """Pass on."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
        await self._send(message)


class RequestMetrics:
    """Counts and times each HTTP request, and logs it, under the path of its route and not the path asked for."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, watching the status."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        watching = WatchingSend(send)
        try:
            await self._app(scope, receive, watching)
        finally:
            status = watching.status
            took_s = time.perf_counter() - started
            # Labels come from closed sets, else any caller could fill the memory with series.
            method = scope["method"] if scope["method"] in _METHODS else "(other)"
            route = getattr(scope.get("route"), "path", "(none)")
            self._metrics.requests.labels(method, route, str(status)).inc()
            self._metrics.durations.labels(method, route).observe(took_s)
            level = logging.DEBUG if method == "GET" and status < 400 else logging.INFO
            # Quoted again, since a decoded line break would begin a log line of the caller's making.
            log.log(level, "%s %s -> %d in %.1f ms", method, quote(scope["path"]), status, took_s * 1e3)
