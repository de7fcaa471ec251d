"""The backend of a host with its services: commands and questions over HTTP, news over one WebSocket."""

from collections.abc import AsyncGenerator, Mapping
from typing import Literal

from juniper_canopy.backend import stream
from juniper_canopy.backend.telling import Services
from juniper_canopy.backend.updates import Update
from juniper_cascor.client import AsyncJuniperCascorClient, CascorTrainingStream
from juniper_common.health import Probe
from juniper_common.http import AsyncHttpClient, Call
from juniper_common.tls import Verify, client_context
from juniper_data.client import AsyncJuniperDataClient

ATTEMPTS = 2
TIMEOUT_S = 9.0
RETRY_FOR_S = 2.0
"""A person waits for the answer: a service that is away, or silent, is said to be so, not tried for long."""


class ServiceBackend:
    """Fulfils BackendProtocol with the real services.

    Args:
        cascor: commands and questions to the training service.
        data: questions to the data service.
        news: the subscription to the training service.
    """

    mode: Literal["service"] = "service"

    def __init__(
        self, cascor: AsyncJuniperCascorClient, data: AsyncJuniperDataClient, news: CascorTrainingStream
    ) -> None:
        self.cascor = cascor
        self.data = data
        self._news = news

    @classmethod
    def connect(
        cls,
        cascor_url: str,
        data_url: str,
        *,
        cascor_key: str | None = None,
        data_key: str | None = None,
        verify: Verify = None,
    ) -> "ServiceBackend":
        """The backend of two addresses; `verify` as HttpClient's. Nothing is sent yet."""
        context = client_context(verify)
        return cls(
            AsyncJuniperCascorClient(
                cascor_url,
                api_key=cascor_key,
                attempts=ATTEMPTS,
                timeout_s=TIMEOUT_S,
                retry_for_s=RETRY_FOR_S,
                verify=context,
            ),
            AsyncJuniperDataClient(
                data_url,
                api_key=data_key,
                attempts=ATTEMPTS,
                timeout_s=TIMEOUT_S,
                retry_for_s=RETRY_FOR_S,
                verify=context,
            ),
            CascorTrainingStream(cascor_url, cascor_key, verify=context),
        )

    def updates(self) -> AsyncGenerator[Update, None]:
        """What happens, from now on."""
        return stream.follow(self._news)

    def probes(self) -> Mapping[str, Probe]:
        """How to ask each service how it is."""
        return {"juniper_data": _probe(self.data), "juniper_cascor": _probe(self.cascor)}

    def trains_on(self, dataset_id: str) -> bool:  # noqa: ARG002
        """On every one."""
        return True

    def services(self) -> Services:
        """Both."""
        return {"data": self.data, "cascor": self.cascor}

    async def close(self) -> None:
        """Let go of connections."""
        await self.cascor.close()
        await self.data.close()


def _probe(client: AsyncHttpClient) -> Probe:
    async def ask() -> str:
        await client.send(Call(path="/v1/health", idempotent=False))
        return "answers"

    return ask
