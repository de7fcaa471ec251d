"""What the page says while a dataset is made that takes long."""

import time

from nicegui import ui

from juniper_canopy.backend.protocol import BackendProtocol
from juniper_common.wire.datasets import CreateDatasetResponse, DatasetJob

TICK_S = 1.0


class Making:
    """A line of the page. It says for how long a dataset is being made, and nothing where none is."""

    def __init__(self, backend: BackendProtocol) -> None:
        self._backend = backend
        self._line = ui.label().classes("hint").props('role="status"')
        self._line.bind_visibility_from(self._line, "text", backward=bool)

    async def finished(self, made: CreateDatasetResponse | DatasetJob) -> CreateDatasetResponse:
        """The dataset, once it is made. Raises ClientError where it cannot be, TimeoutError after ten minutes."""
        if isinstance(made, CreateDatasetResponse):
            return made
        began = time.monotonic()

        def tell() -> None:
            self._line.text = f"The dataset is being made, for {time.monotonic() - began:.0f} s now."

        tell()
        with ui.timer(TICK_S, tell) as timer:
            try:
                return await self._backend.data.wait_for(made)
            finally:
                timer.cancel()
                self._line.text = ""
