"""The training service's wiring: what is made of what, and nothing else."""

import asyncio
import functools
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from pydantic import JsonValue
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute

from juniper_cascor import gauges
from juniper_cascor.api import (
    asyncapi,
    editing,
    models,
    network,
    run_control,
    runs,
    snapshots,
    training,
    watching,
    workers,
)
from juniper_cascor.api.channels import CHANNELS
from juniper_cascor.api.chosen import Chosen
from juniper_cascor.api.control_socket import ControlSocket
from juniper_cascor.api.disk import disk_failed
from juniper_cascor.api.envelope import failure, success
from juniper_cascor.api.models import Grown
from juniper_cascor.api.training import TrainingCommands
from juniper_cascor.api.training_socket import TrainingSocket
from juniper_cascor.gpus import Gpus
from juniper_cascor.life import Life
from juniper_cascor.runs import snapshot_files, trainer_process
from juniper_cascor.runs.channel import Message
from juniper_cascor.runs.datasets import Datasets
from juniper_cascor.runs.fanout import Fanout
from juniper_cascor.runs.foreground import Foreground
from juniper_cascor.runs.recorder import Recorder
from juniper_cascor.runs.run_desk import RunDesk
from juniper_cascor.runs.run_queue import RunQueue
from juniper_cascor.runs.runs import Runs
from juniper_cascor.runs.session import Session
from juniper_cascor.runs.snapshot_actions import SnapshotActions
from juniper_cascor.runs.snapshot_catalogue import SnapshotCatalogue
from juniper_cascor.runs.stage import Stage
from juniper_cascor.runs.store import RunStore, StoreError
from juniper_cascor.runs.surroundings import Surroundings
from juniper_cascor.runs.trainer_keeper import TrainerFactory
from juniper_cascor.runs.trainer_process import TrainerProcess
from juniper_cascor.serving.batcher import Batcher
from juniper_cascor.serving.model_store import ModelStore
from juniper_cascor.serving.snapshot_networks import NamedNetwork
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
    life: Life

    async def self_check(self) -> None:
        """The run store answers."""
        await asyncio.to_thread(self.life.store.of_status, "STARTED")

    def problem(self) -> str | None:
        """What the service cannot mend by itself, for the watchdog."""
        return self.life.queue.problem()


def create_service(
    settings: CascorSettings, data_client: AsyncJuniperDataClient | None = None, notifier: Notifier | None = None
) -> CascorService:
    """Wire the service up; processes start with the app's lifespan.

    Args:
        settings: all that can be told.
        data_client: another way to the data service, as its app in this process in tests.
        notifier: tells the service manager what the service does.
    """
    key = settings.data_api_key
    client = data_client or AsyncJuniperDataClient(
        settings.data_url, api_key=key.get_secret_value() if key else None, verify=settings.client_tls()
    )
    fanout = Fanout()
    life = _life(settings, client, fanout, notifier or Notifier())
    app = _app(settings, client, fanout, life)
    return CascorService(app, life)


def _life(settings: CascorSettings, client: AsyncJuniperDataClient, fanout: Fanout, notifier: Notifier) -> Life:
    state = settings.state_dir
    snapshots_folder, dataset_folder = state / "snapshots", state / "datasets"
    store = RunStore(state / "runs.sqlite3")
    recorder, stage = Recorder(store), Stage()
    queue = RunQueue(_trainers(settings), settings.max_parallel_runs, on_begin=stage.offer)

    def let_go(session: Session) -> None:
        all_runs.ended(session)

    around = Surroundings(
        snapshots=snapshots_folder,
        datasets=dataset_folder,
        recorder=recorder,
        fanout=fanout,
        history_rows=settings.history_rows,
        deadline_s=settings.trainer_deadline_s,
        checkpoint_s=settings.checkpoint_s,
        is_in_foreground=lambda session: stage.session is session and stage.replay is None,
        enqueue=queue.enqueue,
        let_go=let_go,
    )
    datasets = Datasets(dataset_folder, client, settings.data_url)
    all_runs = Runs(store, queue, around, datasets.fetch)
    foreground = Foreground(stage, all_runs, datasets, fanout, settings.on_restart)
    return Life(settings, store, recorder, queue, all_runs, foreground, snapshots_folder, datasets, notifier)


def _trainers(settings: CascorSettings) -> Callable[[int], TrainerFactory]:
    def at(place: int) -> TrainerFactory:
        def make(on_message: Callable[[Message], None], on_death: Callable[[str], None]) -> TrainerProcess:
            environment = trainer_process.environment(settings.cache_dir, place, settings.max_parallel_runs)
            return TrainerProcess(on_message, on_death, environment)

        return make

    return at


def _app(settings: CascorSettings, client: AsyncJuniperDataClient, fanout: Fanout, life: Life) -> Starlette:
    foreground, all_runs, folder = life.foreground, life.runs, life.snapshots
    chosen = Chosen(foreground, all_runs)
    actions = SnapshotActions(folder, foreground, life.datasets, settings.on_restart)
    commands = TrainingCommands(chosen, actions)
    desk = RunDesk(all_runs, life.datasets, settings.on_restart)

    async def data_service() -> str:
        if not await client.is_ready():
            raise UnavailableError("the data service does not answer as ready")
        return "ready"

    async def disk() -> str:
        for session in life.queue.working:
            if session.state.shortage:
                raise UnavailableError(session.state.shortage)
        return "takes snapshots"

    async def delete_run(run_id: str) -> None:
        await foreground.forget(await all_runs.delete(run_id))

    def details() -> dict[str, JsonValue]:
        return {
            "network_loaded": foreground.has_network,
            "training_state": foreground.stage.status,
            "trainer_warm": life.queue.trainers[0].is_warm,
        }

    health = HealthReport("juniper-cascor", optional={"juniper_data": data_service, "disk": disk}, details=details)
    metrics = Metrics()
    gauges.register(metrics.registry, life.queue, fanout)
    operations = [
        *health.operations(),
        *metrics.operations(),
        *host.operations(
            host.Host("juniper-cascor", settings.state_dir, notifier=life.notifier, gpus=Gpus()),
            success,
            Success[HostReport],
            Success[LogPage],
        ),
        *network.operations(chosen),
        *editing.operations(foreground.edit),
        *training.operations(chosen, commands),
        *watching.operations(chosen),
        *runs.operations(life.store, delete_run, life.recorder.flush, all_runs.as_it_stands),
        *run_control.operations(desk, commands),
        *snapshots.operations(folder, actions, all_runs.is_active),
        *workers.operations(life.queue),
        *models.operations(ModelStore(settings.state_dir / "models"), Batcher(metrics.registry), _grown(life)),
    ]

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with life.lived():
            yield
        await client.close()

    training_socket = TrainingSocket(chosen.watched, fanout, settings.max_clients)
    control_socket = ControlSocket(commands, fanout, settings.max_clients, settings.max_body_bytes)
    return Starlette(
        routes=[
            *openapi.routes(operations),
            *openapi.document_routes("Juniper cascor", __version__, operations, Failure, beside=[asyncapi.PATH]),
            asyncapi.document_route("Juniper cascor", __version__, CHANNELS),
            WebSocketRoute("/ws/training", training_socket.serve),
            WebSocketRoute("/ws/control", control_socket.serve),
        ],
        middleware=security.middleware(settings, metrics, failure, max_rows_bytes=settings.max_inline_bytes),
        exception_handlers={**exception_handlers(failure), StoreError: disk_failed, OSError: disk_failed},
        lifespan=lifespan,
    )


def _grown(life: Life) -> Grown:
    def in_foreground() -> NamedNetwork:
        stage = life.foreground.stage
        return NamedNetwork(stage.loaded_network(), stage.labels, stage.name)

    return Grown(
        in_foreground,
        SnapshotCatalogue(life.snapshots).newest_id,
        functools.partial(snapshot_files.path_of_id, life.snapshots),
    )
