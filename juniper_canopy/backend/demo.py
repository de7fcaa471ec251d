"""The backend without services: recordings of real runs, played by the fakes. No formula invents a metric.

Importing it loads the fakes; `create_backend` does so only where a demo is shown.
"""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Literal, get_args

from juniper_canopy.backend import stream
from juniper_canopy.backend.telling import Services
from juniper_canopy.backend.updates import Update
from juniper_cascor.testing import AsyncFakeCascorClient, FakeCascorService, FakeCascorTrainingStream, recording
from juniper_common.health import Probe
from juniper_common.wire.training import StartTraining
from juniper_data.testing import AsyncFakeDataClient

PACE = 20.0
"""Epochs a second of the run that is under way when a page opens: it lasts for more than a minute and a half."""


class DemoBackend:
    """Fulfils BackendProtocol with the fakes. Its runs train while its updates are waited for."""

    mode: Literal["demo"] = "demo"

    def __init__(self) -> None:
        service = FakeCascorService("idle", keeps_time=True, takes_any_dataset=True)
        self.cascor = AsyncFakeCascorClient(service=service)
        self.data = AsyncFakeDataClient()
        self._news = FakeCascorTrainingStream(service=service)

    async def updates(self) -> AsyncGenerator[Update, None]:
        """What happens, from the start of a run on."""
        await self._set_the_scene()
        async with aclosing(stream.follow(self._news)) as updates:
            async for update in updates:
                yield update

    def probes(self) -> Mapping[str, Probe]:
        """There is no service to ask."""
        return {}

    def trains_on(self, dataset_id: str) -> bool:
        """Whether a recording is of it."""
        return any(recording.load(name).run.dataset_id == dataset_id for name in get_args(recording.RecordingName))

    def services(self) -> Services:
        """There is none: the fakes live in this process, whose figures and log are not theirs."""
        return {}

    async def close(self) -> None:
        """Let go of the fakes, and of the folder of the datasets."""
        await self.cascor.close()
        await self.data.close()

    async def _set_the_scene(self) -> None:
        """Keep the datasets that were trained on, and start the run that a page opens with."""
        for name in get_args(recording.RecordingName):
            source = recording.load(name).request.dataset
            if source is not None and source.generator is not None:
                await self.data.create_dataset(source.generator, source.params)
        shown = recording.load("demo").request
        params = shown.params.model_copy(update={"pace": PACE})
        await self.cascor.start(StartTraining(dataset=shown.dataset, params=params, start_fresh=True))
