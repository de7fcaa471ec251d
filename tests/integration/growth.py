"""Runs that have grown, their snapshots, and short ways to ask about them."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import httpx

from tests.integration.conftest import Cascor


class Response(Protocol):
    """An answer over HTTP."""

    @property
    def status_code(self) -> int:
        """Whether it went well."""
        ...

    @property
    def text(self) -> str:
        """The body."""
        ...

    def json(self) -> Any:
        """The body, read."""
        ...


def answered(response: Response, status: int = 200) -> Any:
    """What an answer holds."""
    assert response.status_code == status, response.text
    return response.json()["data"]


def refused(response: Response, status: int) -> str:
    """Why something was refused: one line."""
    assert response.status_code == status, response.text
    message: str = response.json()["error"]["message"]
    assert "\n" not in message
    return message


def fields(response: Response, status: int = 422) -> list[str]:
    """The fields that a refusal names."""
    refused(response, status)
    return [".".join(map(str, problem["loc"])) for problem in response.json()["error"]["detail"]]


def ask(cascor: Cascor, path: str) -> Any:
    """What a path under /v1 shows."""
    return answered(cascor.http.get(f"/v1/{path}"))


def tell(cascor: Cascor, path: str, body: Mapping[str, object] | None = None, status: int = 200) -> Any:
    """Post to a path under /v1; the answer."""
    return answered(cascor.http.post(f"/v1/{path}", json=body or {}), status)


def at_once(cascor: Cascor, requests: Sequence[tuple[str, Mapping[str, object]]]) -> list[httpx.Response]:
    """Post to paths under /v1 at the same time; the answers, in the same order."""

    async def asked() -> list[httpx.Response]:
        transport = httpx.ASGITransport(cascor.service.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
            return await asyncio.gather(*(http.post(f"/v1/{path}", json=body) for path, body in requests))

    assert cascor.http.portal is not None
    return cascor.http.portal.call(asked)


def grown(cascor: Cascor, **params: object) -> str:
    """A run that is over; its id."""
    run_id = cascor.start(None, **({"seed": 1} | params))
    cascor.wait()
    return run_id


def snapshots(cascor: Cascor, run_id: str) -> list[dict[str, Any]]:
    """A run's snapshots in the order of its growth."""
    found: list[dict[str, Any]] = ask(cascor, f"snapshots?run_id={run_id}&limit=1000")["snapshots"]
    return sorted(found, key=lambda info: info["epoch"])


def ids(cascor: Cascor, run_id: str) -> list[str]:
    """Their ids."""
    return [info["id"] for info in snapshots(cascor, run_id)]


def topology(cascor: Cascor) -> Any:
    """The loaded network."""
    return ask(cascor, "network/topology")
