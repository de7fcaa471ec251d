"""The dataset service put together."""

import logging

from anyio import to_thread
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from juniper_common import __version__, host
from juniper_common.errors import BadRequestError, NotFoundError, ServiceError, UnavailableError, exception_handlers
from juniper_common.health import HealthReport
from juniper_common.metrics import Metrics
from juniper_common.notify import Notifier
from juniper_common.openapi import document_routes, routes
from juniper_common.requests import json_response
from juniper_common.security import middleware
from juniper_common.wire.errors import FieldProblem
from juniper_data.catalog import Catalog
from juniper_data.errors import (
    DataError,
    DatasetDamagedError,
    DatasetNotFoundError,
    InvalidParametersError,
    StoreError,
    UnknownGeneratorError,
)
from juniper_data.routes import DatasetRoutes
from juniper_data.settings import Settings

log = logging.getLogger(__name__)


class Refusal(BaseModel):
    """What was wrong: a sentence, or each refused field."""

    detail: str | list[FieldProblem]


def create_app(settings: Settings, catalog: Catalog, notifier: Notifier | None = None) -> Starlette:
    """The service, ready to be served; it tells of the watchdog that the notifier answers."""
    metrics = Metrics()

    async def probe_store() -> str:
        await to_thread.run_sync(catalog.check)
        return "writable"

    operations = [
        *HealthReport("juniper-data", critical={"store": probe_store}).operations(),
        *metrics.operations(),
        *host.operations(host.Host("juniper-data", settings.state_dir, notifier=notifier)),
        *DatasetRoutes(catalog).operations(),
    ]
    return Starlette(
        routes=[
            *routes(operations),
            *document_routes("Juniper datasets", __version__, operations, Refusal),
        ],
        middleware=middleware(settings, metrics, error_body),
        exception_handlers={**exception_handlers(error_body), DataError: _answer_data_error},
    )


def error_body(error: ServiceError) -> Response:
    """An error as this service writes it: without an envelope."""
    return json_response(Refusal(detail=list(error.fields) or error.message), error.status)


async def _answer_data_error(_: Request, error: Exception) -> Response:
    return error_body(_as_service_error(error))


def _as_service_error(error: Exception) -> ServiceError:
    match error:
        case DatasetNotFoundError() | UnknownGeneratorError():
            return NotFoundError(str(error))
        case InvalidParametersError():
            return BadRequestError(str(error), error.problems)
        case DatasetDamagedError():
            log.error("%s", error)
            return ServiceError(str(error))
        case StoreError():
            log.error("%s", error)
            return UnavailableError(str(error))
    raise AssertionError(f"no answer for {error!r}") from error  # pragma: no cover - each DataError is above
