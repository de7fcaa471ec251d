"""Clients of the dataset service: one for threads, one for event loops, the same calls in both.

Each call raises a `juniper_common.http.ClientError` where it does not succeed: an `UnreachableError` without an answer,
a `ResponseError` of its status with one, a `ChecksumError` for an artifact that is not what it should be. What a call
takes and answers stands in `juniper_data.calls`.
"""

import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Literal, Unpack, overload

from juniper_common.asking import Ask, ServiceClient, sent
from juniper_common.atomic_file import NewFile
from juniper_common.http import NotFoundError
from juniper_common.wire.dataset_queries import DatasetFilter
from juniper_common.wire.datasets import CreateDatasetResponse, DatasetJob, DatasetMeta, UploadQuery
from juniper_data import calls
from juniper_data.async_client import AsyncJuniperDataClient
from juniper_data.calls import DEFAULT_TIMEOUT_S, Made, Notes, Params
from juniper_data.downloads import SPOOL_BYTES, Arrays, ChecksumError, Download, Export, opened, read_arrays

__all__ = ["Arrays", "AsyncJuniperDataClient", "ChecksumError", "JuniperDataClient", "Notes"]


class JuniperDataClient(ServiceClient):
    """The dataset service, for threads. Use it as a context manager, or call `close`. Arguments as HttpClient's."""

    list_generators = sent(calls.list_generators)
    get_generator_schema = sent(calls.get_generator_schema)
    preview_generator = sent(calls.preview_generator)
    job = sent(calls.job)
    list_datasets = sent(calls.list_datasets)
    filter_datasets = sent(calls.filter_datasets)
    stats = sent(calls.stats)
    cleanup_expired = sent(calls.cleanup_expired)
    versions = sent(calls.versions)
    latest = sent(calls.latest)
    get_dataset = sent(calls.get_dataset)
    profile = sent(calls.profile)
    access = sent(calls.access)
    lineage = sent(calls.lineage)
    preview = sent(calls.preview)
    change_tags = sent(calls.change_tags)
    delete_dataset = sent(calls.delete_dataset)
    batch_create = sent(calls.batch_create)
    batch_delete = sent(calls.batch_delete)
    batch_tags = sent(calls.batch_tags)
    host = sent(calls.host)
    logs = sent(calls.logs)

    @overload
    def create_dataset(
        self,
        generator: str,
        params: Params = None,
        *,
        wait: Literal[True] = True,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        **notes: Unpack[Notes],
    ) -> CreateDatasetResponse: ...

    @overload
    def create_dataset(
        self, generator: str, params: Params = None, *, wait: Literal[False], **notes: Unpack[Notes]
    ) -> Made: ...

    def create_dataset(
        self,
        generator: str,
        params: Params = None,
        *,
        wait: bool = True,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        **notes: Unpack[Notes],
    ) -> Made:
        """Make a dataset, or find the same one made before.

        Args:
            generator: its name.
            params: of the generator; what is left out gets its default.
            wait: return once it is made; False: return its job at once, or the dataset where it is there already.
            timeout_s: for how long to wait.
            notes: see Notes.

        Raises:
            InvalidRequestError: it cannot be made, or is not as `constraints` demand; each wrong field is named.
            TimeoutError: it was not made in time.
        """
        ask = calls.create_dataset(generator, params, notes, wait=wait)
        return self._made(ask, timeout_s) if wait else ask.read(self.send(ask.call))

    @overload
    def upload(
        self,
        source: Path | IO[bytes],
        query: UploadQuery | None = None,
        *,
        wait: Literal[True] = True,
        timeout_s: float = DEFAULT_TIMEOUT_S,
    ) -> CreateDatasetResponse: ...

    @overload
    def upload(self, source: Path | IO[bytes], query: UploadQuery | None = None, *, wait: Literal[False]) -> Made: ...

    def upload(
        self,
        source: Path | IO[bytes],
        query: UploadQuery | None = None,
        *,
        wait: bool = True,
        timeout_s: float = DEFAULT_TIMEOUT_S,
    ) -> Made:
        """Make a dataset of a CSV, JSON, Parquet or NPZ file. The same content is the same dataset.

        Args:
            source: where the file lies, or an open one that can seek, which is sent from where it stands.
            query: what the file is, and what to note beside it.
            wait: as create_dataset's.
            timeout_s: as create_dataset's.

        Raises:
            InvalidRequestError: it is not what it is said to be (row and column are named), or too large.
            TimeoutError: it was not made in time.
        """
        with opened(source) as file:
            ask = calls.upload(file, query, wait=wait)
            return self._made(ask, timeout_s) if wait else ask.read(self.send(ask.call))

    def wait_for(self, job: DatasetJob, timeout_s: float = DEFAULT_TIMEOUT_S) -> CreateDatasetResponse:
        """Return what became of a job once it is over.

        Raises:
            InvalidRequestError, ServerError: the dataset cannot be made.
            NotFoundError: the service was restarted meanwhile; ask for the dataset again.
            TimeoutError: it was not over in time.
        """
        pauses = calls.pauses_s(job, timeout_s)
        while (result := calls.result_of(job)) is None:
            time.sleep(next(pauses))
            job = self.job(job.job_id)
        return result

    def iterate_datasets(self, query: DatasetFilter | None = None) -> Iterator[DatasetMeta]:
        """All datasets that fit, newest first, fetched a page at a time; `limit` is the size of a page."""
        asked: DatasetFilter | None = query or DatasetFilter()
        while asked:
            page = self.filter_datasets(asked)
            yield from page.datasets
            asked = calls.next_page(asked, page)

    def download_artifact(self, dataset_id: str, path: Path, *, checksum: str | None = None) -> str:
        """Put the NPZ at `path`, whole or not at all, and return its SHA-256.

        It is verified against `checksum`, as the dataset's meta has it, or else against the service's ETag.

        Raises:
            ChecksumError: it is another.
            NotFoundError: there is no such dataset.
            ServerError: it is damaged.
        """
        with NewFile(path) as new:
            download = Download(dataset_id, new.file, checksum)
            self.receive(download)
            verified = download.verified()
            new.keep()
            return verified

    def load(self, dataset_id: str, *, checksum: str | None = None) -> Arrays:
        """The arrays themselves, verified; see download_artifact."""
        with tempfile.SpooledTemporaryFile(SPOOL_BYTES) as file:
            download = Download(dataset_id, file, checksum)
            self.receive(download)
            download.verified()
            return read_arrays(file)

    def batch_export(self, dataset_ids: Sequence[str], path: Path) -> None:
        """Put up to 50 datasets at `path` as one zip of ID.npz and manifest.json, whole or not at all.

        The manifest, an ExportManifest, says which of them are not there. Raises NotFoundError where none is.
        """
        with NewFile(path) as new:
            self.receive(Export(calls.batch_export(dataset_ids), new.file))
            new.keep()

    def _made(self, ask: Ask[Made], timeout_s: float) -> CreateDatasetResponse:
        deadline = time.monotonic() + timeout_s
        answer = ask.read(self.send(ask.call))
        while isinstance(answer, DatasetJob):
            try:
                return self.wait_for(answer, deadline - time.monotonic())
            except NotFoundError:  # The service was restarted, and knows no job of before.
                answer = ask.read(self.send(ask.call))
        return answer
