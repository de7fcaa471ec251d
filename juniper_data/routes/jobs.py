"""Datasets that take long to make, asked for until they are there."""

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response

from juniper_common.errors import NotFoundError
from juniper_common.openapi import Operation
from juniper_common.requests import json_response
from juniper_common.wire.datasets import DATASET_ID_PATTERN, DatasetJob
from juniper_data.catalog import Catalog
from juniper_data.errors import DatasetNotFoundError
from juniper_data.jobs import FailedJob, Jobs
from juniper_data.refusals import refusal, service_error
from juniper_data.routes.making_answers import POLL_S, artifact_url, job_url, made, running
from juniper_data.stores.protocol import Stored


class JobRoutes:
    """The handler. A job has the id of its dataset."""

    def __init__(self, catalog: Catalog, jobs: Jobs) -> None:
        self._catalog = catalog
        self._jobs = jobs

    def operations(self) -> list[Operation]:
        """What is told of jobs."""
        return [
            Operation(
                method="GET",
                path="/v1/jobs/{job_id}",
                handler=self.get_job,
                responses={200: DatasetJob},
                patterns={"job_id": DATASET_ID_PATTERN},
            )
        ]

    async def get_job(self, request: Request) -> Response:
        """Tell whether a dataset is being made, is there, or could not be made and why."""
        job_id: str = request.path_params["job_id"]
        job = self._jobs.running(job_id)
        if job is not None:
            response = json_response(running(job))
            response.headers["Retry-After"] = str(POLL_S)
            return response
        failed = self._jobs.failed(job_id)
        return json_response(_failed(failed) if failed else await self._stored(job_id))

    async def _stored(self, job_id: str) -> DatasetJob:
        try:
            meta = await to_thread.run_sync(self._catalog.meta, job_id)
        except DatasetNotFoundError:
            raise NotFoundError(f"there is no job {job_id!r}, and no such dataset: post the request again") from None
        return DatasetJob(
            job_id=job_id,
            status="succeeded",
            dataset_id=job_id,
            generator=meta.generator,
            created_at=meta.created_at,
            finished_at=meta.created_at,
            job_url=job_url(job_id),
            artifact_url=artifact_url(job_id),
            result=made(Stored(meta, created=False)),
        )


def _failed(job: FailedJob) -> DatasetJob:
    error = service_error(job.error)
    return DatasetJob(
        job_id=job.job_id,
        status="failed",
        dataset_id=job.job_id,
        generator=job.generator,
        created_at=job.created_at,
        finished_at=job.finished_at,
        job_url=job_url(job.job_id),
        error=refusal(error).detail,
        error_status=error.status,
    )
