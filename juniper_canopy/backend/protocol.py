"""What the dashboard needs of a backend: the clients of both services, and the news of training.

Pages, REST and the live stream know this protocol and no service: behind the clients are the real services or fakes.
"""

from collections.abc import AsyncGenerator, Awaitable, Mapping
from typing import Literal, Protocol, TypeVar

from juniper_canopy.backend.telling import Services
from juniper_canopy.backend.updates import Update
from juniper_cascor.client import AsyncJuniperCascorClient
from juniper_common.health import Probe
from juniper_common.http import NotFoundError
from juniper_data.client import AsyncJuniperDataClient

Answer = TypeVar("Answer")
Mode = Literal["service", "demo"]


class BackendProtocol(Protocol):
    """Every call of a client raises `juniper_common.http.ClientError` when it does not succeed, with the reason."""

    @property
    def mode(self) -> Mode:
        """Whether real services are behind it, or recordings."""
        ...

    @property
    def cascor(self) -> AsyncJuniperCascorClient:
        """Commands and questions to the training service. Ask for it anew each time: it may be another one by then."""
        ...

    @property
    def data(self) -> AsyncJuniperDataClient:
        """Commands and questions to the dataset service. As `cascor`."""
        ...

    def updates(self) -> AsyncGenerator[Update, None]:
        """What happens, from now on. Ends only when it is closed: it reconnects by itself and tells of both."""
        ...

    def probes(self) -> Mapping[str, Probe]:
        """How to ask each service that this backend needs how it is."""
        ...

    def trains_on(self, dataset_id: str) -> bool:
        """Whether a run that is started on this dataset is trained on it; recordings are of their own ones alone."""
        ...

    def services(self) -> Services:
        """Those of which the host has something to tell; a demo has none, its recordings play in this process."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


async def if_there(call: Awaitable[Answer]) -> Answer | None:
    """The answer, or None where there is nothing yet."""
    try:
        return await call
    except NotFoundError:
        return None
