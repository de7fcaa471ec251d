"""The dataset service put together."""

import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from anyio import to_thread
from starlette.applications import Starlette
from starlette.middleware import Middleware

from juniper_common import __version__, host, security
from juniper_common.errors import exception_handlers
from juniper_common.health import HealthReport
from juniper_common.metrics import Metrics
from juniper_common.notify import Notifier
from juniper_common.openapi import document_routes, routes
from juniper_data.audit import Audit
from juniper_data.catalog import Catalog
from juniper_data.errors import DataError, StoreError, StoreFullError
from juniper_data.job_files import JobFiles
from juniper_data.jobs import Jobs
from juniper_data.refusals import Refusal, answer_error, error_body
from juniper_data.repeating import repeating
from juniper_data.routes.batches import BatchRoutes
from juniper_data.routes.datasets import DatasetRoutes
from juniper_data.routes.generators import GeneratorRoutes
from juniper_data.routes.jobs import JobRoutes
from juniper_data.routes.search import SearchRoutes
from juniper_data.routes.uploads import UploadRoutes
from juniper_data.settings import Settings

ACCESSES_EVERY_S = 1.0
"""How often it is written down which artifacts were read: what a kill may lose of it."""

SWEEP_EVERY_S = 60.0

log = logging.getLogger(__name__)


def create_app(settings: Settings, catalog: Catalog, notifier: Notifier | None = None) -> Starlette:
    """The service, ready to be served; it tells of the watchdog that the notifier answers."""
    metrics = Metrics()
    files = JobFiles(settings.state_dir)
    jobs = Jobs(catalog, files)

    async def probe_room() -> str:
        warning = await to_thread.run_sync(catalog.check)
        return f"writable; {warning}" if warning else "writable"

    async def probe_store() -> str:
        try:
            return f"{settings.store_place}, {await probe_room()}"
        except StoreFullError:
            return f"{settings.store_place}, full, but gives and deletes"
        except StoreError as error:
            raise StoreError(f"{settings.store_place}: {error}") from error

    operations = [
        *HealthReport("juniper-data", critical={"store": probe_store}, optional={"room": probe_room}).operations(),
        *metrics.operations(),
        *host.operations(host.Host("juniper-data", settings.state_dir, notifier=notifier)),
        *GeneratorRoutes(catalog, jobs).operations(),
        *DatasetRoutes(catalog, jobs, settings.wait_s).operations(),
        *UploadRoutes(catalog, jobs, files, settings.max_upload_bytes, settings.wait_s).operations(),
        *JobRoutes(catalog, jobs).operations(),
        *SearchRoutes(catalog).operations(),
        *BatchRoutes(catalog, jobs, settings.wait_s).operations(),
    ]

    def sweep() -> None:
        if removed := catalog.delete_expired():
            log.info("removed %d expired", len(removed))

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await jobs.take_up()
        async with AsyncExitStack() as works:
            await works.enter_async_context(repeating("count of accesses", catalog.accesses.flush, ACCESSES_EVERY_S))
            # One on the disk is swept by a process of its own, on a timer.
            if settings.back_ends[-1] != "file_system":
                await works.enter_async_context(repeating("sweep", sweep, SWEEP_EVERY_S))
            yield
            await jobs.close()

    identity, *guards = security.middleware(settings, metrics, error_body)
    app = Starlette(
        routes=[
            *routes(operations),
            *document_routes("Juniper datasets", __version__, operations, Refusal),
        ],
        middleware=[identity, Middleware(Audit, keys=settings.keys, operations=operations), *guards],
        exception_handlers={**exception_handlers(error_body), DataError: answer_error, OSError: answer_error},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    return app
