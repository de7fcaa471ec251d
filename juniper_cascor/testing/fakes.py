"""The clients and streams of the training service over a fake service: the real classes, with another way to it."""

from pydantic import JsonValue

from juniper_cascor.client import AsyncJuniperCascorClient, JuniperCascorClient
from juniper_cascor.streams import CascorControlStream, CascorTrainingStream
from juniper_cascor.testing.fake_service import FakeCascorService, Scenario
from juniper_cascor.testing.faults import Faults
from juniper_cascor.testing.sockets import dial
from juniper_cascor.testing.transport import Transport
from juniper_common.wire.training import PhaseName, Status

URL = "http://cascor.test"
FAULTY_SHARE = 0.3
"""Of the requests to an error-prone service."""


class Steered:
    """What a test may do to the service behind a fake."""

    service: FakeCascorService

    def advance_epoch(self, n: int = 1) -> None:
        """Let every run that trains train so many epochs."""
        self.service.advance_epoch(n)

    def set_state(self, status: Status, phase: PhaseName | None = None, reason: str | None = None) -> None:
        """Put the run in the foreground into a state; where there is none, one is started."""
        self.service.set_state(status, phase, reason)

    def inject_message(self, kind: str, data: dict[str, JsonValue], run_id: str | None = None) -> None:
        """Send any message to everyone who watches the foreground."""
        self.service.inject_message(kind, data, run_id)


class FakeCascorClient(JuniperCascorClient, Steered):
    """A JuniperCascorClient whose service is a fake.

    Args:
        scenario: what stands in the service, see FakeCascorService.
        service: one that others use too, instead of a new one.
        seed: decides which requests fail in the scenario `error_prone`.
        epochs_per_call: so many epochs are trained with each request.
        attempts: tries altogether, where repeating is safe.
    """

    def __init__(
        self,
        scenario: Scenario = "idle",
        *,
        service: FakeCascorService | None = None,
        seed: int = 0,
        epochs_per_call: int = 0,
        attempts: int = 1,
    ) -> None:
        self.service = service or FakeCascorService(scenario, epochs_per_call=epochs_per_call)
        super().__init__(URL, attempts=attempts, transport=Transport(self.service, _faults(self.service, seed)))


class AsyncFakeCascorClient(AsyncJuniperCascorClient, Steered):
    """An AsyncJuniperCascorClient whose service is a fake. Arguments as FakeCascorClient's."""

    def __init__(
        self,
        scenario: Scenario = "idle",
        *,
        service: FakeCascorService | None = None,
        seed: int = 0,
        epochs_per_call: int = 0,
        attempts: int = 1,
    ) -> None:
        self.service = service or FakeCascorService(scenario, epochs_per_call=epochs_per_call)
        super().__init__(URL, attempts=attempts, transport=Transport(self.service, _faults(self.service, seed)))


class FakeCascorTrainingStream(CascorTrainingStream, Steered):
    """A CascorTrainingStream whose service is a fake.

    Args:
        scenario: what stands in the service, see FakeCascorService.
        service: one that others use too, instead of a new one.
        run_id: the run to follow; None: whichever is in the foreground.
        seed: decides which connections fail in the scenario `error_prone`.
        epochs_per_call: so many epochs are trained for as long as a message is waited for.
    """

    def __init__(
        self,
        scenario: Scenario = "two_spiral_training",
        *,
        service: FakeCascorService | None = None,
        run_id: str | None = None,
        seed: int = 0,
        epochs_per_call: int = 0,
    ) -> None:
        self.service = service or FakeCascorService(scenario, epochs_per_call=epochs_per_call)
        super().__init__(URL, run_id=run_id, dial=dial(self.service, _faults(self.service, seed)))


class FakeCascorControlStream(CascorControlStream, Steered):
    """A CascorControlStream whose service is a fake. Arguments as FakeCascorTrainingStream's."""

    def __init__(
        self,
        scenario: Scenario = "idle",
        *,
        service: FakeCascorService | None = None,
        seed: int = 0,
        epochs_per_call: int = 0,
    ) -> None:
        self.service = service or FakeCascorService(scenario, epochs_per_call=epochs_per_call)
        super().__init__(URL, dial=dial(self.service, _faults(self.service, seed)))


def _faults(service: FakeCascorService, seed: int) -> Faults | None:
    return Faults(seed, FAULTY_SHARE) if service.scenario == "error_prone" else None
