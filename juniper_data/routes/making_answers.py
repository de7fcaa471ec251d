"""What whoever asks for a dataset is told: that it is there, or where to ask for it."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from juniper_common.requests import json_response
from juniper_common.wire.datasets import CreateDatasetResponse, DatasetJob
from juniper_data import audit
from juniper_data.jobs import Job
from juniper_data.routes.preferences import Patience
from juniper_data.stores.protocol import Stored

POLL_S = 1
"""After how long it is worth to ask for a job again."""

MAKING_RESPONSES: Mapping[int, type[BaseModel]] = {
    201: CreateDatasetResponse,
    200: CreateDatasetResponse,
    202: DatasetJob,
}


class MakingHeaders(BaseModel):
    """How long the caller wants to wait."""

    model_config = ConfigDict(frozen=True)

    prefer: str | None = Field(
        None,
        alias="Prefer",
        description="respond-async: be told at once where to ask (202); wait=10: wait up to so many seconds (RFC 7240)",
    )


def making_answer(request: Request, outcome: Stored | Job, waited: Patience, *, is_kept: bool = True) -> Response:
    """201, 200 or 202."""
    if isinstance(outcome, Job):
        audit.note(request, outcome.job_id)
        answer = running(outcome)
        response = json_response(answer, 202)
        response.headers.update({"Location": answer.job_url, "Retry-After": str(POLL_S)})
    else:
        audit.note(request, outcome.meta.dataset_id)
        response = json_response(made(outcome, is_kept=is_kept), 201 if outcome.created else 200)
    response.headers.update(waited.headers)
    return response


def made(stored: Stored, *, is_kept: bool = True) -> CreateDatasetResponse:
    """A dataset that is there, or was made without keeping it."""
    meta = stored.meta
    return CreateDatasetResponse(
        dataset_id=meta.dataset_id,
        generator=meta.generator,
        meta=meta,
        artifact_url=artifact_url(meta.dataset_id) if is_kept else None,
    )


def running(job: Job) -> DatasetJob:
    """A dataset that is being made."""
    return DatasetJob(
        job_id=job.job_id,
        status="running",
        dataset_id=job.job_id,
        generator=job.generator,
        created_at=job.created_at,
        job_url=job_url(job.job_id),
        artifact_url=artifact_url(job.job_id),
    )


def artifact_url(dataset_id: str) -> str:
    """Where the data is."""
    return f"/v1/datasets/{dataset_id}/artifact"


def job_url(job_id: str) -> str:
    """Where to ask for a job."""
    return f"/v1/jobs/{job_id}"
