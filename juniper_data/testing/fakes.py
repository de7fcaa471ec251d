"""The clients of the dataset service over a fake service: the real classes, with another way to it."""

import asyncio
from datetime import timedelta

from juniper_data.client import AsyncJuniperDataClient, JuniperDataClient
from juniper_data.testing.service import FakeDataService
from juniper_data.testing.transport import Transport

URL = "http://data.test"


class Steered:
    """What a test may do to the service behind a fake."""

    service: FakeDataService

    @property
    def is_reachable(self) -> bool:
        """Whether calls come through; False: they raise UnreachableError."""
        return self.service.is_reachable

    @is_reachable.setter
    def is_reachable(self, is_reachable: bool) -> None:
        self.service.is_reachable = is_reachable

    def fail_next(self, n: int = 1, status: int = 503) -> None:
        """Answer the next `n` requests with a status, and do nothing else of what they ask."""
        self.service.fail_next(n, status)

    def advance(self, time: timedelta) -> None:
        """Let time pass for the service."""
        self.service.advance(time)

    def damage(self, dataset_id: str) -> None:
        """Change a byte of a stored artifact, as a bad disk does. Raises DatasetNotFoundError."""
        self.service.damage(dataset_id)


class FakeDataClient(JuniperDataClient, Steered):
    """A JuniperDataClient whose service is a fake. Use it as a context manager, or call `close`.

    Args:
        service: one that others use too, and that is not closed with this client; None: a new one.
        api_key: see FakeDataService.
        attempts: tries altogether, where repeating is safe.
    """

    def __init__(
        self, *, service: FakeDataService | None = None, api_key: str | None = None, attempts: int = 1
    ) -> None:
        self.service = service or FakeDataService()
        self._owns_service = service is None
        super().__init__(URL, api_key=api_key, attempts=attempts, transport=Transport(self.service))

    def close(self) -> None:
        """End the service too, if it is this client's alone."""
        super().close()
        if self._owns_service:
            self.service.close()


class AsyncFakeDataClient(AsyncJuniperDataClient, Steered):
    """An AsyncJuniperDataClient whose service is a fake. Arguments as FakeDataClient's."""

    def __init__(
        self, *, service: FakeDataService | None = None, api_key: str | None = None, attempts: int = 1
    ) -> None:
        self.service = service or FakeDataService()
        self._owns_service = service is None
        super().__init__(URL, api_key=api_key, attempts=attempts, transport=Transport(self.service))

    async def close(self) -> None:
        """End the service too, if it is this client's alone."""
        await super().close()
        if self._owns_service:
            await asyncio.to_thread(self.service.close)
