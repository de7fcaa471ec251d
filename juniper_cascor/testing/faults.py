"""What goes wrong at a service that fails now and then, in an order that a seed decides."""

import random
from typing import Literal

import httpx

from juniper_cascor.api.envelope import failure
from juniper_common.errors import ServiceError, TooManyRequestsError, UnavailableError

Fault = Literal["lost", "429", "500", "503"]

FAULTS: tuple[Fault, ...] = ("503", "429", "lost", "500")


class Faults:
    """One after the other: None, where nothing goes wrong.

    Args:
        seed: the same seed has the same order.
        share: of the requests that fail.
    """

    def __init__(self, seed: int, share: float) -> None:
        self._random = random.Random(seed)  # noqa: S311 - guards nothing
        self._share = share

    def next(self) -> Fault | None:
        """What becomes of the next request."""
        return self._random.choice(FAULTS) if self._random.random() < self._share else None


def answer(fault: Fault) -> httpx.Response:
    """The service's answer where something is wrong. Raises httpx.ReadError where there is none."""
    if fault == "lost":
        raise httpx.ReadError("the connection was lost")
    errors: dict[str, ServiceError] = {
        "429": TooManyRequestsError("more than 60 requests a minute"),
        "500": ServiceError("internal error; the service's log says more"),
        "503": UnavailableError("the trainer process is starting again; try in a moment"),
    }
    refused = failure(errors[fault])
    headers = {"Retry-After": "1"} if fault == "429" else {}
    return httpx.Response(refused.status_code, content=bytes(refused.body), headers=headers)
