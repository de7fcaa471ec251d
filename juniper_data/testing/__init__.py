"""Fakes of the dataset service, for tests of those who use it; docs/clients.md shows how.

They are the real clients over the real service in this process, with its store in memory and no socket.
"""

from juniper_data.testing.fakes import AsyncFakeDataClient, FakeDataClient
from juniper_data.testing.service import FakeDataService

__all__ = ["AsyncFakeDataClient", "FakeDataClient", "FakeDataService"]
