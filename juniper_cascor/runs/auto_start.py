"""Starts a training by itself as soon as that is possible: for demos, where nobody is there to press start."""

import asyncio
import logging

from juniper_cascor.runs.foreground import Foreground
from juniper_cascor.runs.store import StoreError
from juniper_cascor.settings import CascorSettings
from juniper_common.errors import ServiceError, UnavailableError
from juniper_common.wire.training import DatasetSource, RunParameters, StartTraining

RETRY_S = 1.0

log = logging.getLogger(__name__)


def request_of(settings: CascorSettings) -> StartTraining:
    """The start that the settings ask for."""
    return StartTraining(
        dataset=DatasetSource(generator=settings.auto_dataset, params=settings.auto_dataset_params),
        params=RunParameters.model_validate(settings.auto_network),
        epochs=settings.auto_epochs,
        start_fresh=True,
    )


async def start(foreground: Foreground, request: StartTraining, retry_s: float = RETRY_S) -> None:
    """Start the training once the data service answers; where a run is there already, that one goes on."""
    log.warning("JUNIPER_CASCOR_AUTO_START is set: training starts by itself, on %s", request.dataset)
    while not foreground.has_network:
        try:
            session = await foreground.start(request)
        except (UnavailableError, StoreError, OSError) as error:
            log.info("the training that starts by itself waits: %s", error)
            await asyncio.sleep(retry_s)
        except ServiceError as error:
            log.error("no training starts by itself: %s", error.message)
            return
        else:
            log.warning("run %s has started by itself", session.run_id)
            return
    log.warning("no training starts by itself: there is a run or a network already")
