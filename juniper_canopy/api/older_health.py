"""`/health` and `/api/health`, where older programs ask whether the dashboard answers."""

from starlette.requests import Request
from starlette.responses import Response

from juniper_common.openapi import Operation
from juniper_common.requests import json_response
from juniper_common.wire.health import Health

SUCCESSOR = "/v1/health"
DEPRECATED_SINCE = "@1767225600"
"""The beginning of 2026, as RFC 9745 writes it."""


def operations() -> list[Operation]:
    """Both, which answer as their successor does and name it."""
    return [
        Operation(method="GET", path=path, handler=_health, responses={200: Health}, is_open=True, name=name)
        for path, name in (("/health", "health"), ("/api/health", "api_health"))
    ]


async def _health(_: Request) -> Response:
    """Deprecated: ask `/v1/health`."""
    answer = json_response(Health())
    answer.headers["Deprecation"] = DEPRECATED_SINCE
    answer.headers["Link"] = f'<{SUCCESSOR}>; rel="successor-version"'
    return answer
