"""A dataset on Kaggle, spoken to by Kaggle's own client library (the extra `hub`).

A version there is all of its files: each change fetches them and sends them anew, the artifacts packed as one file,
which Kaggle unpacks into the folder of that name. And Kaggle takes a version without asking which one it follows, so
two writers at once may lose what one of them wrote; that is noticed, and told, only afterwards.
"""

import io
import shutil
import time
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryFile
from typing import BinaryIO, cast
from urllib.parse import urlsplit

import requests
import urllib3
from kagglesdk.blobs.services.blob_api_service import BlobApiClient
from kagglesdk.blobs.types.blob_api_service import ApiBlobType, ApiStartBlobUploadRequest
from kagglesdk.datasets.services.dataset_api_service import DatasetApiClient
from kagglesdk.datasets.types.dataset_api_service import (
    ApiCreateDatasetRequest,
    ApiCreateDatasetResponse,
    ApiCreateDatasetVersionRequest,
    ApiCreateDatasetVersionRequestBody,
    ApiDatasetNewFile,
    ApiDownloadDatasetRequest,
    ApiGetDatasetRequest,
    ApiGetDatasetStatusRequest,
)
from kagglesdk.datasets.types.dataset_enums import DatabundleVersionStatus
from kagglesdk.kaggle_http_client import KaggleHttpClient

from juniper_common import __version__
from juniper_data.errors import DatasetDamagedError, StoreAwayError, StoreError
from juniper_data.stores.hub import (
    MAX_INDEX_BYTES,
    Change,
    ConflictError,
    MissingFileError,
    OversizedFileError,
    one_line,
    refusal,
)
from juniper_data.stores.kaggle_client import BLOCK_BYTES, KaggleClient, blocks, copy, mount, pieces

CREDENTIAL = "juniper_data_kaggle_key"

READY_S = 900.0
"""So long Kaggle may work on the files of a version."""

_POLL_S = 2.0
_ENTRY_BYTES = 1000  # What an archive has of a file beside its bytes.
_MORE_FILES = 1000  # What a version may have beside what this store put there.
_ALL = ""
_TYPE = {"Content-Type": "application/octet-stream"}

# What the library and zipfile make of an answer that is none.
_NO_ANSWERS = (
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    RuntimeError,
    EOFError,
    zlib.error,
    zipfile.BadZipFile,
)


class KaggleHub:
    """A dataset. A `Hub` for one writer at a time, whose revisions are the numbers of the dataset's versions.

    Args:
        dataset: OWNER/NAME.
        endpoint: where Kaggle's API is.
        key: NAME:KEY as in kaggle.json, or a token; None: none is shown, and none that this user may have elsewhere
            is looked for.
        folder: for files that are on their way, which have no names.
        pause: wait for so many seconds.
        clock_s: seconds that never go back.
    """

    def __init__(
        self,
        dataset: str,
        endpoint: str,
        key: str | None,
        folder: Path,
        *,
        pause: Callable[[float], None] = time.sleep,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._owner, self._slug = dataset.split("/")
        self._endpoint = endpoint.rstrip("/")
        self._user, _, password = (key or "").rpartition(":")
        self._auth = None if key is None else (self._user, password) if self._user else KaggleHttpClient.BearerAuth(key)
        self._folder = folder
        self._pause = pause
        self._clock_s = clock_s
        self._name = f"Kaggle ({dataset})"

    def head(self) -> str | None:
        """The number of the last version."""
        request = ApiGetDatasetRequest()
        request.owner_slug, request.dataset_slug = self._owner, self._slug
        with self._errors(), self._client() as client:
            try:
                number = DatasetApiClient(client).get_dataset(request).current_version_number
            except requests.HTTPError as error:
                if self._is_not_there(error):
                    return None
                raise
            if number < 1:
                raise ValueError("no version")
            return str(number)

    def check(self) -> None:
        """Nothing that Kaggle could be asked tells more than that it may be read."""

    def read(self, path: str, revision: str, max_bytes: int, file: BinaryIO) -> None:
        """Write what a file has in a version."""
        with self._errors(), self._downloaded(path, revision) as answered:
            name = PurePosixPath(path).name
            if not urlsplit(answered.url).path.endswith(f"/{name}.zip"):
                copy(blocks(answered, max_bytes), file, max_bytes)
                return
            # Kaggle packs some files by itself. What cannot be packed gets a little larger.
            with TemporaryFile(dir=self._folder) as packed:
                limit = max_bytes + BLOCK_BYTES
                copy(blocks(answered, limit), packed, limit)
                with _archive(packed, 1) as archive, archive.open(name) as member:
                    copy(pieces(member), file, max_bytes)

    def commit(self, parent: str | None, change: Change) -> str:
        """A version of the dataset, if the parent was still the last one before and is the one before it after."""
        with self._errors(), ExitStack() as opened:
            files = self._packed(self._all(parent, change), opened)
            sent = [self._sent(name, file) for name, file in files.items()]
            if self.head() != parent:
                raise ConflictError(f"{self._name} has a newer version")
            with self._client() as client:
                answer = self._create(DatasetApiClient(client), sent, is_new=parent is None)
            if answer.error:
                raise StoreError(f"{self._name} refuses the version: {one_line(answer.error)}")
            return self._settled(1 if parent is None else int(parent) + 1)

    @contextmanager
    def _downloaded(self, path: str, revision: str) -> Iterator[requests.Response]:
        """What is answered to the question for a file, or for all of a version, packed."""
        request = ApiDownloadDatasetRequest()
        request.owner_slug, request.dataset_slug = self._owner, self._slug
        request.file_name, request.dataset_version_number = path, int(revision)
        with self._client() as client:
            try:
                # What it returns is not what it says.
                answered = cast(requests.Response, DatasetApiClient(client).download_dataset(request))
            except requests.HTTPError as error:
                if error.response is not None and error.response.status_code == 404:
                    raise MissingFileError(f"{self._name} has no {path} in version {revision}") from error
                raise
            with answered:
                yield answered

    def _all(self, parent: str | None, change: Change) -> Iterator[tuple[str, BinaryIO]]:
        """Every file of a version, at its start."""
        for path, file in change.added.items():
            file.seek(0)
            yield path, file
        if not change.kept:
            return
        sizes = [each.size for each in (*change.kept.values(), *change.removed.values())]
        limit = sum(sizes) + len(sizes) * _ENTRY_BYTES + MAX_INDEX_BYTES
        with TemporaryFile(dir=self._folder) as packed:
            with self._downloaded(_ALL, str(parent)) as answered:
                copy(blocks(answered, limit), packed, limit)
            with _archive(packed, len(sizes)) as archive:
                for path, each in change.kept.items():
                    with TemporaryFile(dir=self._folder) as file:
                        try:
                            with archive.open(path) as member:
                                copy(pieces(member), file, each.size)
                        except (KeyError, OversizedFileError) as error:
                            raise DatasetDamagedError(each.dataset_id, f"Kaggle's {path} is another") from error
                        each.check(file)
                        yield path, file

    def _packed(self, files: Iterable[tuple[str, BinaryIO]], opened: ExitStack) -> dict[str, BinaryIO]:
        """What is sent: the files of the root, and each folder as one archive."""
        sent: dict[str, BinaryIO] = {}
        archives: dict[str, zipfile.ZipFile] = {}
        with ExitStack() as written:
            for path, content in files:
                folder, _, name = path.rpartition("/")
                if not folder:
                    sent[name] = content
                    continue
                if folder not in archives:
                    packed = sent[f"{folder}.zip"] = opened.enter_context(TemporaryFile(dir=self._folder))
                    archives[folder] = written.enter_context(zipfile.ZipFile(packed, "w"))
                with archives[folder].open(name, "w", force_zip64=True) as member:
                    shutil.copyfileobj(content, member)
        return sent

    def _create(
        self, api: DatasetApiClient, sent: list[ApiDatasetNewFile], *, is_new: bool
    ) -> ApiCreateDatasetResponse:
        if is_new:
            request = ApiCreateDatasetRequest()
            request.owner_slug, request.slug, request.title = self._owner, self._slug, self._slug
            request.files, request.is_private = sent, True
            return api.create_dataset(request)
        version = ApiCreateDatasetVersionRequest()
        version.owner_slug, version.dataset_slug = self._owner, self._slug
        version.body = ApiCreateDatasetVersionRequestBody()
        version.body.version_notes, version.body.files = f"Juniper {__version__}", sent
        return api.create_dataset_version(version)

    def _settled(self, expected: int) -> str:
        """Wait until Kaggle has the version; returns its number."""
        request = ApiGetDatasetStatusRequest()
        request.owner_slug, request.dataset_slug = self._owner, self._slug
        until_s = self._clock_s() + READY_S
        while True:
            with self._client() as client:
                status = DatasetApiClient(client).get_dataset_status(request).status
            number = int(self.head() or 0)
            if number > expected:
                raise StoreError(
                    f"{self._name} has version {number} where {expected} was due: somebody else writes to it, and one "
                    "of the two may have lost what it wrote; let one alone write, and look at the versions before"
                )
            if status in (DatabundleVersionStatus.FAILED, DatabundleVersionStatus.DELETED):
                raise StoreError(f"{self._name} could not take in the files of version {expected}")
            if number == expected and status is DatabundleVersionStatus.READY:
                return str(number)
            if self._clock_s() > until_s:
                raise StoreError(f"{self._name} still works on version {expected}, which is there later, or not at all")
            self._pause(_POLL_S)

    def _sent(self, name: str, file: BinaryIO) -> ApiDatasetNewFile:
        """Send a file that a version is to have."""
        request = ApiStartBlobUploadRequest()
        request.type, request.name = ApiBlobType.DATASET, name
        request.content_length = file.seek(0, io.SEEK_END)
        request.last_modified_epoch_seconds = int(time.time())
        file.seek(0)
        with self._client() as client:
            started = BlobApiClient(client).start_blob_upload(request)
        with requests.Session() as session:
            mount(session)
            # The address has a key of its own; this one's is for Kaggle alone.
            session.put(started.create_url, data=file, headers=_TYPE).raise_for_status()
        new = ApiDatasetNewFile()
        new.token = started.token
        return new

    def _is_not_there(self, error: requests.HTTPError) -> bool:
        # Kaggle also says 403 of what is not there; to its owner that is the only meaning.
        status = None if error.response is None else error.response.status_code
        return status == 404 or (status == 403 and self._user == self._owner)

    def _client(self) -> KaggleClient:
        return KaggleClient(self._endpoint, self._auth)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except requests.HTTPError as error:
            if error.response is None:
                raise StoreError(f"{self._name} does not answer as it should") from error
            told = str(error).partition(" for url: ")[0]
            raise refusal(self._name, error.response.status_code, CREDENTIAL, told) from error
        except (requests.Timeout, urllib3.exceptions.TimeoutError) as error:
            raise StoreAwayError(f"{self._name} does not answer in time") from error
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise StoreAwayError(f"{self._name} cannot be reached: {one_line(str(error))}") from error
        except _NO_ANSWERS as error:
            raise StoreError(f"{self._name} does not answer as it should: {one_line(str(error))}") from error


def _archive(packed: BinaryIO, n_files: int) -> zipfile.ZipFile:
    """An archive of about so many files. Raises OversizedFileError, BadZipFile."""
    # Each entry of its directory becomes an object; the number that it states counts for nothing.
    end = zipfile._EndRecData(packed)  # type: ignore[attr-defined]
    if end is not None and end[zipfile._ECD_SIZE] > (n_files + _MORE_FILES) * _ENTRY_BYTES:  # type: ignore[attr-defined]
        raise OversizedFileError(f"an archive of {n_files} files lists more than {n_files + _MORE_FILES}")
    return zipfile.ZipFile(packed)
