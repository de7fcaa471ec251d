"""The training service's wiring: what is made of what, and nothing else."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from pydantic import JsonValue
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import WebSocketRoute

from juniper_cascor.api import asyncapi, network, records, training, watching
from juniper_cascor.api.channels import CHANNELS
from juniper_cascor.api.envelope import failure, success
from juniper_cascor.api.training_socket import TrainingSocket
from juniper_cascor.gpus import Gpus
from juniper_cascor.runs import trainer_process
from juniper_cascor.runs.channel import Message
from juniper_cascor.runs.datasets import Datasets
from juniper_cascor.runs.fanout import Fanout
from juniper_cascor.runs.foreground import Foreground
from juniper_cascor.runs.store import RunStore, StoreError
from juniper_cascor.runs.trainer_process import TrainerProcess
from juniper_cascor.settings import CascorSettings
from juniper_common import __version__, host, openapi, security
from juniper_common.errors import UnavailableError, exception_handlers
from juniper_common.health import HealthReport
from juniper_common.metrics import Metrics
from juniper_common.notify import Notifier
from juniper_common.wire.envelope import Failure, Success
from juniper_common.wire.host import HostReport, LogPage
from juniper_data.client import AsyncJuniperDataClient

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CascorService:
    """The app, and what its process asks of it."""

    app: Starlette
    foreground: Foreground
    store: RunStore

    async def self_check(self) -> None:
        """The run store answers."""
        self.store.newest(1)


def create_service(
    settings: CascorSettings,
    data_client: AsyncJuniperDataClient | None = None,
    notifier: Notifier | None = None,
) -> CascorService:
    """Wire the service up; processes start with the app's lifespan.

    Args:
        settings: all that can be told.
        data_client: another way to the data service, as its app in this process in tests.
        notifier: what answers the watchdog.
    """
    key = settings.data_api_key
    client = data_client or AsyncJuniperDataClient(settings.data_url, api_key=key.get_secret_value() if key else None)
    store = RunStore(settings.state_dir / "runs.sqlite3")
    fanout = Fanout()
    snapshot_folder = settings.state_dir / "snapshots"

    def make_trainer(on_message: Callable[[Message], None], on_death: Callable[[str], None]) -> TrainerProcess:
        return TrainerProcess(on_message, on_death, trainer_process.environment(settings.cache_dir))

    foreground = Foreground(
        folder=snapshot_folder,
        store=store,
        fanout=fanout,
        datasets=Datasets(settings.state_dir / "datasets", client),
        make_trainer=make_trainer,
        history_rows=settings.history_rows,
        deadline_s=settings.trainer_deadline_s,
    )

    async def data_service() -> str:
        if not await client.is_ready():
            raise UnavailableError("the data service does not answer as ready")
        return "ready"

    def details() -> dict[str, JsonValue]:
        return {
            "network_loaded": foreground.spec is not None,
            "training_state": foreground.state.status,
            "trainer_warm": foreground.trainer.is_warm,
        }

    health = HealthReport("juniper-cascor", optional={"juniper_data": data_service}, details=details)
    metrics = Metrics()
    operations = [
        *health.operations(),
        *metrics.operations(),
        *host.operations(
            host.Host("juniper-cascor", settings.state_dir, notifier=notifier, gpus=Gpus()),
            success,
            Success[HostReport],
            Success[LogPage],
        ),
        *network.operations(foreground),
        *training.operations(foreground),
        *watching.operations(foreground),
        *records.operations(store, snapshot_folder),
    ]

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await foreground.open()
        try:
            yield
        finally:
            await foreground.close()
            await client.close()
            store.close()

    app = Starlette(
        routes=[
            *openapi.routes(operations),
            *openapi.document_routes("Juniper cascor", __version__, operations, Failure, beside=[asyncapi.PATH]),
            asyncapi.document_route("Juniper cascor", __version__, CHANNELS),
            WebSocketRoute("/ws/training", TrainingSocket(foreground, fanout, settings.max_clients).serve),
        ],
        middleware=security.middleware(settings, metrics, failure),
        exception_handlers={**exception_handlers(failure), StoreError: _disk_failed, OSError: _disk_failed},
        lifespan=lifespan,
    )
    return CascorService(app, foreground, store)


async def _disk_failed(_: Request, error: Exception) -> Response:
    """A disk that is full or read-only is said to be so; nothing was started or changed."""
    log.error("%s", error)
    return failure(UnavailableError(str(error)))
