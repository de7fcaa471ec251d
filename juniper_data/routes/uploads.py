"""Files that are sent, to be made datasets of."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from anyio import to_thread
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from juniper_common.errors import TooLargeError
from juniper_common.openapi import Operation
from juniper_common.requests import read_headers, read_query
from juniper_common.wire.datasets import UploadQuery
from juniper_common.wire.errors import FieldProblem
from juniper_data import audit
from juniper_data.catalog import Catalog, Order
from juniper_data.errors import BusyError
from juniper_data.job_files import JobFiles, UploadRequest
from juniper_data.jobs import Job, Jobs
from juniper_data.receiving import IncomingFile
from juniper_data.routes.making_answers import MAKING_RESPONSES, MakingHeaders, making_answer
from juniper_data.routes.preferences import patience
from juniper_data.stores.protocol import Stored

UPLOADS_AT_ONCE = 4
IDLE_S = 60.0
"""Whoever sends nothing for so long is cut off."""

_FORM = (
    "the body must be the file itself, not a form: curl -T FILE URL -X POST, or curl --data-binary @FILE"
    " -H 'Content-Type: application/octet-stream' URL"
)


class UploadRoutes:
    """The handler.

    Args:
        catalog: knows the datasets.
        jobs: makes them.
        files: takes what is sent.
        max_bytes: a larger file is refused.
        wait_s: how long a caller is made to wait for the dataset, where it does not say otherwise.
        idle_s: how long it may send nothing.
    """

    def __init__(
        self, catalog: Catalog, jobs: Jobs, files: JobFiles, max_bytes: int, wait_s: float, idle_s: float = IDLE_S
    ) -> None:
        self._catalog = catalog
        self._jobs = jobs
        self._files = files
        self._max_bytes = max_bytes
        self._wait_s = wait_s
        self._idle_s = idle_s
        self._n_coming = 0

    def operations(self) -> list[Operation]:
        """How a file is sent."""
        return [
            Operation(
                method="POST",
                path="/v1/datasets/upload",
                handler=self.upload_dataset,
                body="application/octet-stream",
                query=UploadQuery,
                headers=MakingHeaders,
                responses=MAKING_RESPONSES,
                errors=(400, 408, 415, 503, 507),
            )
        ]

    async def upload_dataset(self, request: Request) -> Response:
        """Make a dataset of the CSV, JSON, Parquet or NPZ file in the body (201, or 200 or 202 as of a create)."""
        if request.headers.get("content-type", "").startswith("multipart/"):
            raise HTTPException(415, _FORM)
        waiting = patience(read_headers(request, MakingHeaders).prefer, self._wait_s)
        query = read_query(request, UploadQuery)
        audit.note(request, source="upload")
        told = request.headers.get("content-length", "0")
        if told.isdecimal():
            self._refuse_large(int(told))
        return making_answer(request, await self._made(request, query, waiting.wait_s), waiting)

    async def _made(self, request: Request, query: UploadQuery, patience_s: float) -> Stored | Job:
        path = await to_thread.run_sync(self._files.new_upload)
        is_handed_over = False
        try:
            sha256 = await self._received(request, path)
            order, found = await to_thread.run_sync(self._look, query, path, sha256)
            if found is not None:
                return found
            asked = UploadRequest(file=path.name, sha256=sha256, query=query)
            is_handed_over = True
            return await self._jobs.fulfil(order, asked, patience_s)
        except BusyError:
            is_handed_over = False
            raise
        finally:
            if not is_handed_over:
                await to_thread.run_sync(partial(path.unlink, missing_ok=True))

    async def _received(self, request: Request, path: Path) -> str:
        """Write the body to a file; its checksum."""
        async with self._place():
            with await to_thread.run_sync(IncomingFile, path) as file:
                pieces = request.stream()
                while piece := await self._next(pieces):
                    self._refuse_large(file.size + len(piece))
                    if file.take(piece):
                        await to_thread.run_sync(file.write)
                await to_thread.run_sync(file.write)
                return file.sha256

    async def _next(self, pieces: AsyncIterator[bytes]) -> bytes:
        """The next piece; empty at the end."""
        try:
            async with asyncio.timeout(self._idle_s):
                return await anext(pieces, b"")
        except TimeoutError:
            raise HTTPException(
                408, f"nothing was sent for {self._idle_s:g} seconds", {"Connection": "close"}
            ) from None

    def _look(self, query: UploadQuery, path: Path, sha256: str) -> tuple[Order, Stored | None]:
        order = self._catalog.upload_order(query, path, sha256)
        return order, self._catalog.find_made(order)

    def _refuse_large(self, size: int) -> None:
        if size > self._max_bytes:
            problem = f"is larger than {self._max_bytes} bytes"
            raise TooLargeError(f"the body {problem}", (FieldProblem(loc=["body"], msg=problem),))

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[None]:
        if self._n_coming >= UPLOADS_AT_ONCE:
            raise BusyError(f"{UPLOADS_AT_ONCE} files are being sent already")
        self._n_coming += 1
        try:
            yield
        finally:
            self._n_coming -= 1
