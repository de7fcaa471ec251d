"""The host and its services, for programs and for the page's own views."""

import asyncio
import re
from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from juniper_canopy.backend.telling import ServiceName, Services
from juniper_canopy.state.services import ServiceState, ServiceStates
from juniper_canopy.transport.service_follower import TIMEOUT_S, ServiceFollower
from juniper_common.http import ClientError
from juniper_common.openapi import Operation
from juniper_common.requests import json_response, read_query
from juniper_common.wire.health import Readiness
from juniper_common.wire.host import MAX_LOG_RECORDS, HostReport, LogLevel, LogPage, LogRecord

_AFTER = r"(data|cascor|canopy):\d{1,15}"


class ServiceCard(BaseModel):
    """One service now."""

    service: ServiceName
    status: Literal["ready", "degraded", "not_ready", "refuses", "away"] = Field(
        description="In its own words; refuses: it is there, but tells nothing; away: it does not answer."
    )
    problem: str = Field(description="Why it tells nothing of itself; else empty.")
    since: float | None = Field(description="Since when it tells of itself, or does not, in Unix seconds.")
    host: HostReport | None = Field(description="Its newest report; of before it went away, where it is away.")
    readiness: Readiness | None = Field(description="The same of its readiness.")


class SampleColumns(BaseModel):
    """Figures over the last hour, one row every two seconds in which somebody watched; null where nothing was told."""

    time: list[float] = Field(description="Unix seconds, rising.")
    columns: dict[str, list[float | None]] = Field(
        description="SERVICE or host, then cpu_percent (of one core) or memory (bytes); gpuN, then "
        "utilisation_percent, memory (bytes) or power_w."
    )


class SystemReport(BaseModel):
    """The answer of `GET /api/system`."""

    time: float = Field(description="When the services were last asked, in Unix seconds.")
    services: list[ServiceCard]
    samples: SampleColumns


class SystemQuery(BaseModel):
    """Which samples."""

    model_config = ConfigDict(extra="forbid")

    since: float = Field(
        default=0.0, ge=0, allow_inf_nan=False, description="Rows after this time alone, in Unix seconds."
    )


class SystemLogQuery(BaseModel):
    """Which records of the services' logs."""

    model_config = ConfigDict(extra="forbid")

    service: ServiceName | None = Field(default=None, description="Left out: all three.")
    level: LogLevel = Field(default="DEBUG", description="The least that is told.")
    since: str = Field(
        default="",
        pattern=f"^({_AFTER}(,{_AFTER}){{0,2}})?$",
        description="The `next_since` of an answer, to follow the logs. Left out: the newest records.",
    )
    text: str = Field(default="", max_length=200, description="What the records contain, in whatever case.")
    limit: int = Field(default=200, ge=1, le=500, description="So many of each service.")


class ServiceRecord(LogRecord):
    """A record, and whose log it is of."""

    service: ServiceName


class SystemLogs(BaseModel):
    """The answer of `GET /api/system/logs`, in the order of time."""

    records: list[ServiceRecord]
    next_since: str = Field(description="What to ask for `since` next.")
    missed: dict[ServiceName, int] = Field(description="How many records after `since` a service no longer keeps.")
    away: dict[ServiceName, str] = Field(description="Why a service's log is not told.")


def operations(services: Services, states: ServiceStates, follower: ServiceFollower) -> list[Operation]:
    """Every operation with its models.

    Args:
        services: whose logs are told.
        states: what is known of them.
        follower: brings that up to date.
    """

    async def get_system(request: Request) -> Response:
        """How each service fares, and what it used over the last hour."""
        query = read_query(request, SystemQuery)
        await follower.refresh()
        rows = states.samples.since(query.since)
        columns = {name: column.tolist() for name, column in rows.columns.items()}
        return json_response(
            SystemReport(
                time=states.samples.newest or 0.0,
                services=[_card(name, state) for name, state in states.states.items()],
                samples=SampleColumns(time=rows.time.tolist(), columns=columns),
            )
        )

    async def get_system_logs(request: Request) -> Response:
        """The last records of the services' logs, in one list."""
        return json_response(await _logs(services, read_query(request, SystemLogQuery)))

    return [
        Operation(
            method="GET", path="/api/system", handler=get_system, query=SystemQuery, responses={200: SystemReport}
        ),
        Operation(
            method="GET",
            path="/api/system/logs",
            handler=get_system_logs,
            query=SystemLogQuery,
            responses={200: SystemLogs},
        ),
    ]


def _card(name: ServiceName, state: ServiceState) -> ServiceCard:
    told, away = state.told, state.away
    if away is not None:
        status: Literal["ready", "degraded", "not_ready", "refuses", "away"] = "refuses" if away.answers else "away"
    else:
        status = told.readiness.status if told else "away"
    return ServiceCard(
        service=name,
        status=status,
        problem=away.problem if away else "",
        since=state.since,
        host=told.host if told else None,
        readiness=told.readiness if told else None,
    )


async def _logs(services: Services, query: SystemLogQuery) -> SystemLogs:
    seen = {name: int(seq) for name, seq in re.findall(r"(\w+):(\d+)", query.since)}
    names: list[ServiceName] = [name for name in services if query.service in (None, name)]
    pages = await asyncio.gather(*(_page(services, name, query, seen.get(name)) for name in names))
    found: Mapping[ServiceName, LogPage | str] = dict(zip(names, pages, strict=True))
    told = {name: page for name, page in found.items() if isinstance(page, LogPage)}
    records = [
        ServiceRecord(**record.model_dump(), service=name)
        for name, page in told.items()
        for record in _containing(page.records, query.text)[-query.limit :]
    ]
    return SystemLogs(
        records=sorted(records, key=lambda record: record.time),
        next_since=",".join(
            f"{name}:{seq}" for name, seq in (seen | {name: page.next_since for name, page in told.items()}).items()
        ),
        missed={name: page.missed for name, page in told.items() if page.missed},
        away={name: page for name, page in found.items() if isinstance(page, str)},
    )


async def _page(services: Services, name: ServiceName, query: SystemLogQuery, since: int | None) -> LogPage | str:
    """A service's records, or why there are none."""
    service = services[name]
    # A text is looked for in all that is kept, and that is found out here: services do not search.
    limit = MAX_LOG_RECORDS if query.text else query.limit
    try:
        async with asyncio.timeout(TIMEOUT_S):
            page = await service.logs(since, level=query.level, limit=limit)
            if since is not None and page.next_since < since:  # another process by now, which counts anew
                page = await service.logs(0, level=query.level, limit=limit)
            return page
    except ClientError as error:
        return str(error)
    except TimeoutError:
        return f"no answer within {TIMEOUT_S:g} s"


def _containing(records: list[LogRecord], text: str) -> list[LogRecord]:
    wanted = text.casefold()
    return [record for record in records if wanted in _searched(record)] if wanted else records


def _searched(record: LogRecord) -> str:
    parts = (record.logger, record.message, record.traceback, record.run_id, record.request_id)
    return "\n".join(part for part in parts if part).casefold()
