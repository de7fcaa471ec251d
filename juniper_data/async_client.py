"""The client of the dataset service for event loops; see `juniper_data.client`."""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import IO, Literal, Unpack, overload

from juniper_common.asking import Ask, AsyncServiceClient, awaited
from juniper_common.atomic_file import NewFile
from juniper_common.http import NotFoundError
from juniper_common.wire.dataset_queries import DatasetFilter
from juniper_common.wire.datasets import CreateDatasetResponse, DatasetJob, DatasetMeta, UploadQuery
from juniper_data import calls
from juniper_data.calls import DEFAULT_TIMEOUT_S, Made, Notes, Params
from juniper_data.downloads import SPOOL_BYTES, Arrays, Download, Export, opened, read_arrays


class AsyncJuniperDataClient(AsyncServiceClient):
    """The same for an event loop; see JuniperDataClient. Disks are waited for in threads."""

    list_generators = awaited(calls.list_generators)
    get_generator_schema = awaited(calls.get_generator_schema)
    preview_generator = awaited(calls.preview_generator)
    job = awaited(calls.job)
    list_datasets = awaited(calls.list_datasets)
    filter_datasets = awaited(calls.filter_datasets)
    stats = awaited(calls.stats)
    cleanup_expired = awaited(calls.cleanup_expired)
    versions = awaited(calls.versions)
    latest = awaited(calls.latest)
    get_dataset = awaited(calls.get_dataset)
    profile = awaited(calls.profile)
    access = awaited(calls.access)
    lineage = awaited(calls.lineage)
    preview = awaited(calls.preview)
    change_tags = awaited(calls.change_tags)
    delete_dataset = awaited(calls.delete_dataset)
    batch_create = awaited(calls.batch_create)
    batch_delete = awaited(calls.batch_delete)
    batch_tags = awaited(calls.batch_tags)
    host = awaited(calls.host)
    logs = awaited(calls.logs)

    @overload
    async def create_dataset(
        self,
        generator: str,
        params: Params = None,
        *,
        wait: Literal[True] = True,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        **notes: Unpack[Notes],
    ) -> CreateDatasetResponse: ...

    @overload
    async def create_dataset(
        self, generator: str, params: Params = None, *, wait: Literal[False], **notes: Unpack[Notes]
    ) -> Made: ...

    async def create_dataset(
        self,
        generator: str,
        params: Params = None,
        *,
        wait: bool = True,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        **notes: Unpack[Notes],
    ) -> Made:
        """Make a dataset, or find the same one made before; see JuniperDataClient."""
        ask = calls.create_dataset(generator, params, notes, wait=wait)
        return await self._made(ask, timeout_s) if wait else ask.read(await self.send(ask.call))

    @overload
    async def upload(
        self,
        source: Path | IO[bytes],
        query: UploadQuery | None = None,
        *,
        wait: Literal[True] = True,
        timeout_s: float = DEFAULT_TIMEOUT_S,
    ) -> CreateDatasetResponse: ...

    @overload
    async def upload(
        self, source: Path | IO[bytes], query: UploadQuery | None = None, *, wait: Literal[False]
    ) -> Made: ...

    async def upload(
        self,
        source: Path | IO[bytes],
        query: UploadQuery | None = None,
        *,
        wait: bool = True,
        timeout_s: float = DEFAULT_TIMEOUT_S,
    ) -> Made:
        """Make a dataset of a CSV, JSON, Parquet or NPZ file; see JuniperDataClient."""
        with opened(source) as file:
            ask = calls.upload(file, query, wait=wait)
            return await self._made(ask, timeout_s) if wait else ask.read(await self.send(ask.call))

    async def wait_for(self, job: DatasetJob, timeout_s: float = DEFAULT_TIMEOUT_S) -> CreateDatasetResponse:
        """Return what became of a job once it is over; see JuniperDataClient."""
        pauses = calls.pauses_s(job, timeout_s)
        while (result := calls.result_of(job)) is None:
            await asyncio.sleep(next(pauses))
            job = await self.job(job.job_id)
        return result

    async def iterate_datasets(self, query: DatasetFilter | None = None) -> AsyncIterator[DatasetMeta]:
        """All datasets that fit, newest first, fetched a page at a time; `limit` is the size of a page."""
        asked: DatasetFilter | None = query or DatasetFilter()
        while asked:
            page = await self.filter_datasets(asked)
            for meta in page.datasets:
                yield meta
            asked = calls.next_page(asked, page)

    async def download_artifact(self, dataset_id: str, path: Path, *, checksum: str | None = None) -> str:
        """Put the NPZ at `path`, whole or not at all, and return its SHA-256; see JuniperDataClient."""
        with NewFile(path) as new:
            download = Download(dataset_id, new.file, checksum)
            await self.receive(download)
            verified = download.verified()
            await asyncio.to_thread(new.keep)
            return verified

    async def load(self, dataset_id: str, *, checksum: str | None = None) -> Arrays:
        """The arrays themselves, verified; see download_artifact."""
        with tempfile.SpooledTemporaryFile(SPOOL_BYTES) as file:
            download = Download(dataset_id, file, checksum)
            await self.receive(download)
            download.verified()
            return await asyncio.to_thread(read_arrays, file)

    async def batch_export(self, dataset_ids: Sequence[str], path: Path) -> None:
        """Put up to 50 datasets at `path` as one zip, whole or not at all; see JuniperDataClient."""
        with NewFile(path) as new:
            await self.receive(Export(calls.batch_export(dataset_ids), new.file))
            await asyncio.to_thread(new.keep)

    async def _made(self, ask: Ask[Made], timeout_s: float) -> CreateDatasetResponse:
        deadline = time.monotonic() + timeout_s
        answer = ask.read(await self.send(ask.call))
        while isinstance(answer, DatasetJob):
            try:
                return await self.wait_for(answer, deadline - time.monotonic())
            except NotFoundError:  # The service was restarted, and knows no job of before.
                answer = ask.read(await self.send(ask.call))
        return answer
