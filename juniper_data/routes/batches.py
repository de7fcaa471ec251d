"""Many datasets made, changed, removed and given in one call."""

import json
from collections import Counter
from collections.abc import Iterable

import anyio
from anyio import to_thread
from pydantic import JsonValue
from starlette.requests import Request
from starlette.responses import Response

from juniper_common.errors import BadRequestError, NotFoundError, ServiceError
from juniper_common.openapi import Operation
from juniper_common.requests import json_response, read_body, read_headers, read_json
from juniper_common.wire.dataset_queries import (
    BatchCreate,
    BatchCreated,
    BatchDeleted,
    BatchFailure,
    BatchIds,
    BatchItem,
    BatchTagged,
    BatchTags,
    CleanedUp,
    ExportIds,
)
from juniper_common.wire.datasets import CreateDatasetRequest
from juniper_data import audit
from juniper_data.catalog import Catalog
from juniper_data.errors import (
    DataError,
    DatasetDamagedError,
    DatasetNotFoundError,
    InvalidParametersError,
)
from juniper_data.exporting import export
from juniper_data.jobs import Job, Jobs
from juniper_data.piecewise_response import PiecewiseResponse
from juniper_data.refusals import logged_error
from juniper_data.routes.creating import CreateHeaders, create
from juniper_data.routes.making_answers import made, running
from juniper_data.routes.preferences import patience
from juniper_data.stores.protocol import Stored

MAX_AUDITED = 100
"""Of more datasets that expired together the log names only these, and how many they are."""


class BatchRoutes:
    """The handlers. A dataset that is named twice counts once.

    Args:
        catalog: knows the datasets.
        jobs: makes them.
        wait_s: how long a caller is made to wait for all that a batch makes, where it does not say otherwise.
    """

    def __init__(self, catalog: Catalog, jobs: Jobs, wait_s: float) -> None:
        self._catalog = catalog
        self._jobs = jobs
        self._wait_s = wait_s

    def operations(self) -> list[Operation]:
        """What can be done to datasets together."""
        return [
            Operation(
                method="POST",
                path="/v1/datasets/batch-create",
                handler=self.batch_create,
                body=BatchCreate,
                headers=CreateHeaders,
                responses={201: BatchCreated, 202: BatchCreated, 200: BatchCreated},
            ),
            Operation(
                method="POST",
                path="/v1/datasets/batch-delete",
                handler=self.batch_delete,
                body=BatchIds,
                responses={200: BatchDeleted},
            ),
            Operation(
                method="PATCH",
                path="/v1/datasets/batch-tags",
                handler=self.batch_tags,
                body=BatchTags,
                responses={200: BatchTagged},
            ),
            Operation(
                method="POST",
                path="/v1/datasets/batch-export",
                handler=self.batch_export,
                body=ExportIds,
                responses={200: "application/zip"},
                errors=(404,),
            ),
            Operation(
                method="POST",
                path="/v1/datasets/cleanup-expired",
                handler=self.cleanup_expired,
                responses={200: CleanedUp},
            ),
        ]

    async def batch_create(self, request: Request) -> Response:
        """Make datasets: 201 where any is new, 202 where any is still being made, else 200; each is told by itself."""
        headers = read_headers(request, CreateHeaders)
        items = (await read_body(request, BatchCreate)).datasets
        waiting = patience(headers.prefer, self._wait_s)
        deadline = anyio.current_time() + waiting.wait_s
        results: list[BatchItem] = []
        # One after the other: the versions of a name come in their order, and an item may name one before it as parent.
        for index, item in enumerate(items):
            results.append(await self._create(request, headers.idempotency_key, index, item, deadline))
        audit.note(request, *(item.dataset_id for item in results if item.dataset_id))
        outcomes = Counter(item.outcome for item in results)
        answer = BatchCreated(
            results=tuple(results),
            total_created=len(results) - outcomes["failed"],
            total_existing=outcomes["existing"],
            total_pending=outcomes["pending"],
            total_failed=outcomes["failed"],
        )
        status = 201 if outcomes["created"] else 202 if outcomes["pending"] else 200
        # In a thread: fifty metas may be long.
        response = await to_thread.run_sync(json_response, answer, status)
        response.headers.update(waiting.headers)
        return response

    async def batch_delete(self, request: Request) -> Response:
        """Remove datasets; those that are not there are told apart.

        Where the store fails midway, some are gone already; to ask again does no harm.
        """
        ids = dict.fromkeys((await read_body(request, BatchIds)).dataset_ids)
        return json_response(await to_thread.run_sync(self._delete, ids, request))

    async def batch_tags(self, request: Request) -> Response:
        """Take tags away from datasets and add some; one that refuses leaves the others be."""
        body = await read_body(request, BatchTags)
        return json_response(await to_thread.run_sync(self._tag, body, request))

    async def batch_export(self, request: Request) -> Response:
        """Give the artifacts as one zip of ID.npz, with a manifest.json of their metas."""
        ids = list(dict.fromkeys((await read_body(request, ExportIds)).dataset_ids))
        audit.note(request, *ids)
        if not await to_thread.run_sync(self._is_any_there, ids):
            raise NotFoundError("none of these datasets was found")
        return PiecewiseResponse(export(self._catalog, ids), "application/zip", "datasets.zip")

    async def cleanup_expired(self, request: Request) -> Response:
        """Remove what has expired."""
        deleted = tuple(await to_thread.run_sync(self._catalog.delete_expired))
        audit.note(request, *deleted[:MAX_AUDITED], source=f"expired:{len(deleted)}")
        return json_response(CleanedUp(deleted=deleted, total_deleted=len(deleted)))

    async def _create(
        self, request: Request, key: str | None, index: int, item: JsonValue, deadline: float
    ) -> BatchItem:
        generator = None
        try:
            # As it came: what a body may be is said of JSON, where a list is no tuple and 1.0 is a whole number.
            content = await to_thread.run_sync(lambda: json.dumps(item).encode())
            asked = await read_json(content, CreateDatasetRequest)
            generator = asked.generator
            patience_s = max(0.0, deadline - anyio.current_time())
            if not asked.persist and not patience_s:
                raise BadRequestError("there is no time left for what is not kept; ask for it by itself")
            outcome = await create(self._jobs, request, asked, key, patience_s, str(index))
        except (ServiceError, DataError, OSError) as error:
            return _failed(index, generator, error)
        return _pending(index, outcome) if isinstance(outcome, Job) else _made(index, outcome, is_kept=asked.persist)

    def _delete(self, ids: Iterable[str], request: Request) -> BatchDeleted:
        deleted, not_found = [], []
        for dataset_id in ids:
            try:
                self._catalog.delete(dataset_id)
                audit.note(request, dataset_id)
                deleted.append(dataset_id)
            except DatasetNotFoundError:
                not_found.append(dataset_id)
        return BatchDeleted(deleted=tuple(deleted), not_found=tuple(not_found), total_deleted=len(deleted))

    def _tag(self, body: BatchTags, request: Request) -> BatchTagged:
        updated, not_found, failed = [], [], []
        for dataset_id in dict.fromkeys(body.dataset_ids):
            try:
                self._catalog.change_tags(dataset_id, body.add_tags, body.remove_tags)
                audit.note(request, dataset_id)
                updated.append(dataset_id)
            except DatasetNotFoundError:
                not_found.append(dataset_id)
            except (InvalidParametersError, DatasetDamagedError) as error:
                failed.append(BatchFailure(dataset_id=dataset_id, error=str(error)))
        return BatchTagged(
            updated=tuple(updated), not_found=tuple(not_found), failed=tuple(failed), total_updated=len(updated)
        )

    def _is_any_there(self, ids: list[str]) -> bool:
        for dataset_id in ids:
            try:
                self._catalog.checksum(dataset_id)
            except DatasetDamagedError:
                return True
            except DatasetNotFoundError:
                continue
            return True
        return False


def _made(index: int, stored: Stored, *, is_kept: bool) -> BatchItem:
    # As in any list of many: the profiles of fifty wide sets would be gigabytes.
    meta = stored.meta.model_copy(update={"profile": None})
    result = made(Stored(meta, stored.created), is_kept=is_kept)
    return BatchItem(
        index=index,
        outcome="created" if stored.created else "existing",
        success=True,
        generator=result.generator,
        dataset_id=result.dataset_id,
        artifact_url=result.artifact_url,
        result=result,
    )


def _pending(index: int, job: Job) -> BatchItem:
    told = running(job)
    return BatchItem(
        index=index,
        outcome="pending",
        success=True,
        generator=told.generator,
        dataset_id=told.dataset_id,
        artifact_url=told.artifact_url,
        job_url=told.job_url,
    )


def _failed(index: int, generator: str | None, error: Exception) -> BatchItem:
    answer = error if isinstance(error, ServiceError) else logged_error(error)
    return BatchItem(
        index=index, outcome="failed", success=False, generator=generator, error=answer.message, problems=answer.fields
    )
