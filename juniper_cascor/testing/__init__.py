"""Fakes of the training service, for tests of those who use it; docs/clients.md shows how.

No trainer, no network, no disk. Their scenarios are recordings of real runs (`record`).
"""

from juniper_cascor.testing.fake_service import FakeCascorService, Scenario
from juniper_cascor.testing.fakes import (
    AsyncFakeCascorClient,
    FakeCascorClient,
    FakeCascorControlStream,
    FakeCascorTrainingStream,
)

__all__ = [
    "AsyncFakeCascorClient",
    "FakeCascorClient",
    "FakeCascorControlStream",
    "FakeCascorService",
    "FakeCascorTrainingStream",
    "Scenario",
]
