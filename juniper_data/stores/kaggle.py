"""A dataset on Kaggle, spoken to by Kaggle's own client library (the extra `hub`).

A version there is all of its files: each change sends them anew. And Kaggle takes a version without asking which one
it follows, so two writers at once may lose what one of them wrote; that is noticed, and told, only afterwards.
"""

import io
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
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
    ApiUploadDirectoryInfo,
)
from kagglesdk.datasets.types.dataset_enums import DatabundleVersionStatus
from kagglesdk.kaggle_env import KaggleEnv
from kagglesdk.kaggle_http_client import KaggleHttpClient
from requests.adapters import HTTPAdapter

from juniper_common import __version__
from juniper_data.errors import StoreError
from juniper_data.stores.hub import (
    ANSWER_S,
    CONNECT_S,
    MAX_ANSWER_BYTES,
    SILENCE_S,
    Change,
    ConflictError,
    MissingFileError,
    OversizedFileError,
    one_line,
    refusal,
)

CREDENTIAL = "juniper_data_kaggle_key"

READY_S = 900.0
"""So long Kaggle may work on the files of a version."""

_POLL_S = 2.0
_BLOCK_BYTES = 1 << 20


class KaggleHub:
    """A dataset. A `Hub` for one writer at a time, whose revisions are the numbers of the dataset's versions.

    Args:
        dataset: OWNER/NAME.
        endpoint: where Kaggle's API is.
        key: NAME:KEY as in kaggle.json, or a token; None: none is shown, and none that this user may have elsewhere
            is looked for.
        pause: wait for so many seconds.
        clock_s: seconds that never go back.
    """

    def __init__(
        self,
        dataset: str,
        endpoint: str,
        key: str | None,
        *,
        pause: Callable[[float], None] = time.sleep,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._owner, self._slug = dataset.split("/")
        self._endpoint = endpoint.rstrip("/")
        self._user, _, password = (key or "").rpartition(":")
        self._auth = None if key is None else (self._user, password) if self._user else KaggleHttpClient.BearerAuth(key)
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
        request = ApiDownloadDatasetRequest()
        request.owner_slug, request.dataset_slug = self._owner, self._slug
        request.file_name, request.dataset_version_number = path, int(revision)
        with self._errors(), self._client() as client:
            try:
                # What it returns is not what it says.
                answered = cast(requests.Response, DatasetApiClient(client).download_dataset(request))
            except requests.HTTPError as error:
                if error.response is not None and error.response.status_code == 404:
                    raise MissingFileError(f"{self._name} has no {path} in version {revision}") from error
                raise
            with answered:
                if urlsplit(answered.url).path.endswith(f"{PurePosixPath(path).name}.zip"):
                    self._unpack(answered, PurePosixPath(path).name, max_bytes, file)
                else:
                    _copy(_blocks(answered, max_bytes), file, max_bytes)

    def commit(self, parent: str | None, change: Change) -> str:
        """A version of the dataset, if the parent was still the last one before and is the one before it after."""
        root = ApiUploadDirectoryInfo()
        root.files, root.directories = [], []
        with self._errors():
            for path, file in change.added.items():
                self._upload(path, file, root)
            for path, fetched in change.kept.items():
                with fetched() as file:
                    self._upload(path, file, root)
            if self.head() != parent:
                raise ConflictError(f"{self._name} has a newer version")
            with self._client() as client:
                answer = self._create(DatasetApiClient(client), root, is_new=parent is None)
            if answer.error:
                raise StoreError(f"{self._name} refuses the version: {one_line(answer.error)}")
            return self._settled(1 if parent is None else int(parent) + 1)

    def _create(self, api: DatasetApiClient, root: ApiUploadDirectoryInfo, *, is_new: bool) -> ApiCreateDatasetResponse:
        if is_new:
            request = ApiCreateDatasetRequest()
            request.owner_slug, request.slug, request.title = self._owner, self._slug, self._slug
            request.files, request.directories, request.is_private = root.files, root.directories, True
            return api.create_dataset(request)
        version = ApiCreateDatasetVersionRequest()
        version.owner_slug, version.dataset_slug = self._owner, self._slug
        version.body = ApiCreateDatasetVersionRequestBody()
        version.body.version_notes = f"Juniper {__version__}"
        version.body.files, version.body.directories = root.files, root.directories
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

    def _upload(self, path: str, file: BinaryIO, root: ApiUploadDirectoryInfo) -> None:
        """Send a file, and note it where it is to be: at the root or in one of its folders."""
        *folder, name = PurePosixPath(path).parts
        request = ApiStartBlobUploadRequest()
        request.type, request.name = ApiBlobType.DATASET, name
        request.content_length = file.seek(0, io.SEEK_END)
        request.last_modified_epoch_seconds = int(time.time())
        file.seek(0)
        with self._client() as client:
            started = BlobApiClient(client).start_blob_upload(request)
        with requests.Session() as session:
            _mount(session)
            # The address has a key of its own; this one's is for Kaggle alone.
            session.put(started.create_url, data=file, headers=_TYPE).raise_for_status()
        new = ApiDatasetNewFile()
        new.token = started.token
        _folder(root, folder).files.append(new)

    def _unpack(self, answered: requests.Response, name: str, max_bytes: int, file: BinaryIO) -> None:
        """Kaggle packs some files by itself when they are downloaded."""
        with TemporaryFile() as packed:
            # What cannot be packed gets a little larger.
            limit = max_bytes + _BLOCK_BYTES
            _copy(_blocks(answered, limit), packed, limit)
            with zipfile.ZipFile(packed) as archive, archive.open(name) as member:
                _copy(iter(lambda: member.read(_BLOCK_BYTES), b""), file, max_bytes)

    def _is_not_there(self, error: requests.HTTPError) -> bool:
        # Kaggle also says 403 of what is not there; to its owner that is the only meaning.
        status = None if error.response is None else error.response.status_code
        return status == 404 or (status == 403 and self._user == self._owner)

    def _client(self) -> "_Client":
        return _Client(self._endpoint, self._auth)

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
            raise StoreError(f"{self._name} does not answer in time") from error
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise StoreError(f"{self._name} cannot be reached: {one_line(str(error))}") from error
        # What the library and zipfile make of an answer that is none.
        except (ValueError, KeyError, TypeError, AttributeError, RuntimeError, zipfile.BadZipFile) as error:
            raise StoreError(f"{self._name} does not answer as it should: {one_line(str(error))}") from error


_TYPE = {"Content-Type": "application/octet-stream"}


class _Client(KaggleHttpClient):  # type: ignore[misc]  # untyped
    """The library's client: for any address, with time limits, and with no key but the one that it is given."""

    def __init__(self, endpoint: str, auth: object) -> None:
        super().__init__(env=KaggleEnv.PROD, user_agent=f"juniper/{__version__}")
        self._endpoint = endpoint
        self._auth = auth

    def _try_fill_auth(self) -> None:
        # A session has just been made.
        _mount(self._session)
        self._session.auth = self._auth


class _Bounded(HTTPAdapter):
    """Answers within the time limits. One that is not a file is read here, as far as it may go."""

    def send(self, request: requests.PreparedRequest, stream: bool = False, **rest: object) -> requests.Response:  # type: ignore[override]
        """What the library calls, without a time limit of its own."""
        response = super().send(request, stream=True, **(rest | {"timeout": (CONNECT_S, SILENCE_S)}))  # type: ignore[arg-type]
        if not stream or response.status_code != 200:
            try:
                response._content = b"".join(_blocks(response, MAX_ANSWER_BYTES))
            except BaseException:
                response.close()
                raise
        return response


def _mount(session: requests.Session) -> None:
    session.headers["Accept-Encoding"] = "identity"
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Bounded())


def _folder(root: ApiUploadDirectoryInfo, names: list[str]) -> ApiUploadDirectoryInfo:
    for name in names:
        found = next((each for each in root.directories if each.name == name), None)
        if found is None:
            found = ApiUploadDirectoryInfo()
            found.name, found.files, found.directories = name, [], []
            root.directories.append(found)
        root = found
    return root


def _blocks(response: requests.Response, max_bytes: int) -> Iterator[bytes]:
    """What was answered, as it is on the wire."""
    n_bytes, until_s = 0, time.monotonic() + ANSWER_S
    for block in response.raw.stream(_BLOCK_BYTES, decode_content=False):
        n_bytes += len(block)
        if n_bytes > max_bytes:
            raise OversizedFileError(f"an answer has more than the {max_bytes} bytes that it may have")
        if time.monotonic() > until_s:
            raise requests.Timeout("the answer takes too long")
        yield block


def _copy(blocks: Iterator[bytes], file: BinaryIO, max_bytes: int) -> None:
    n_bytes = 0
    for block in blocks:
        n_bytes += len(block)
        if n_bytes > max_bytes:
            raise OversizedFileError(f"a file has more than the {max_bytes} bytes that it may have")
        file.write(block)
