"""A repository on the Hugging Face hub, spoken to by its own client library (the extra `hub`)."""

import logging
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import BinaryIO

import httpx2
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, constants, hf_hub_url, set_client_factory
from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, RepositoryNotFoundError
from huggingface_hub.utils import (  # type: ignore[attr-defined]  # exported, but not in words that mypy knows
    build_hf_headers,
    disable_progress_bars,
    hf_raise_for_status,
    http_stream_backoff,
)

from juniper_common import __version__
from juniper_data.errors import StoreAwayError, StoreError
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

CREDENTIAL = "juniper_data_huggingface_token"

_KIND = "dataset"
_BRANCH = "main"
_REVISION = re.compile("[0-9a-f]{40}")
_RETRIES = 2
_MAX_BYTES = "max_bytes"
# What the hub refuses where the branch has gone on: 412 with a parent that is not its head, 409 while another is at it.
_CONFLICTS = (409, 412)
_FILES = (200, 206)


class HuggingFaceHub:
    """A dataset repository. A `Hub`, whose revisions are commits of its branch `main`.

    Args:
        repo: OWNER/NAME.
        endpoint: where the hub is.
        token: one that may write there; None: none is shown, and none that this user may have elsewhere is looked for.
    """

    def __init__(self, repo: str, endpoint: str, token: str | None) -> None:
        _settle_library()
        self._repo = repo
        self._endpoint = endpoint.rstrip("/")
        self._name = f"the Hugging Face hub ({repo})"
        shown = token or False
        self._headers = build_hf_headers(token=shown, library_name="juniper", library_version=__version__)
        self._api = HfApi(self._endpoint, token=shown, library_name="juniper", library_version=__version__)

    def head(self) -> str | None:
        """The branch's last commit."""
        with self._errors():
            try:
                # Without a limit of its own this call has none.
                info = self._api.dataset_info(self._repo, revision=_BRANCH, expand=["sha"], timeout=SILENCE_S)
            except RepositoryNotFoundError as error:
                if error.response.status_code != 404:
                    raise
                return None
            return _checked(info.sha)

    def check(self) -> None:
        """Ask whether the token may write."""
        with self._errors():
            try:
                self._api.auth_check(self._repo, repo_type=_KIND, write=True)
            except RepositoryNotFoundError as error:
                if error.response.status_code != 404:
                    raise

    def read(self, path: str, revision: str, max_bytes: int, file: BinaryIO) -> None:
        """Write what a file has in a commit."""
        url = hf_hub_url(self._repo, path, repo_type=_KIND, revision=revision, endpoint=self._endpoint)
        asked = http_stream_backoff(
            "GET",
            url,
            headers=self._headers,
            extensions={_MAX_BYTES: max_bytes},
            max_retries=_RETRIES,
        )
        with self._errors(), asked as response:
            try:
                hf_raise_for_status(response)
            except EntryNotFoundError as error:
                raise MissingFileError(f"{self._name} has no {path} at {revision}") from error
            for block in response.iter_raw():
                file.write(block)

    def commit(self, parent: str | None, change: Change) -> str:
        """A commit on the branch, if the parent is still its head."""
        with self._errors():
            if parent is None:
                self._api.create_repo(self._repo, repo_type=_KIND, private=True)
                parent = _checked(self.head())
            for file in change.added.values():
                file.seek(0)
            added = [CommitOperationAdd(path, file) for path, file in change.added.items()]
            removed = [CommitOperationDelete(path) for path in change.removed]
            self._send(added)
            made = self._api.create_commit(
                self._repo,
                [*added, *removed],
                commit_message=f"Juniper: {len(added) - 1} added, {len(removed)} removed",
                repo_type=_KIND,
                revision=_BRANCH,
                parent_commit=parent,
            )
            return _checked(made.oid)

    def _send(self, added: Sequence[CommitOperationAdd]) -> None:
        """Bring large files to the hub. Raises StoreError where its commits would go without one of them, unasked."""
        self._api.preupload_lfs_files(self._repo, added, repo_type=_KIND, revision=_BRANCH, free_memory=False)
        if ignored := [file.path_in_repo for file in added if file._should_ignore]:
            raise StoreError(f"{self._name} ignores {', '.join(ignored)}: take that out of its .gitignore")

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        # After HTTPError: what the library makes of an answer that is none. RuntimeError: of an upload that failed.
        except (httpx2.HTTPError, ValueError, KeyError, TypeError, AttributeError, RuntimeError) as error:
            raise self._translated(error.__cause__ or error if isinstance(error, RuntimeError) else error) from error

    def _translated(self, error: BaseException) -> StoreError:
        match error:
            case StoreError():
                return error
            case HfHubHTTPError() if error.response.status_code in _CONFLICTS:
                return ConflictError(f"{self._name} has a newer revision")
            case HfHubHTTPError():
                return refusal(self._name, error.response.status_code, CREDENTIAL, error.server_message or "")
            case httpx2.TimeoutException():
                return StoreAwayError(f"{self._name} does not answer in time")
            case httpx2.HTTPError():
                return StoreAwayError(f"{self._name} cannot be reached: {one_line(str(error))}")
            case _:
                return StoreError(f"{self._name} does not answer as it should: {one_line(str(error))}")


def _checked(revision: str | None) -> str:
    if revision is None or not _REVISION.fullmatch(revision):
        raise ValueError("no revision")
    return revision


@cache
def _settle_library() -> None:
    """What the library can be told only for the whole process."""
    # Xet has a transport of its own, without these bounds, and a cache in the home.
    constants.HF_HUB_DISABLE_XET = True
    constants.HF_HUB_DISABLE_TELEMETRY = True
    constants.HF_HUB_DISABLE_IMPLICIT_TOKEN = True
    disable_progress_bars()
    # They would tell the log each address, and some of those are keys.
    for name in ("httpx2", "huggingface_hub"):
        logging.getLogger(name).setLevel(logging.ERROR)
    set_client_factory(_client)


def _client() -> httpx2.Client:
    return httpx2.Client(
        timeout=httpx2.Timeout(SILENCE_S, connect=CONNECT_S),
        # On the way to another host the client takes the token off.
        follow_redirects=True,
        # What is not packed cannot be more than it seems.
        headers={"Accept-Encoding": "identity"},
        event_hooks={"response": [_bound]},
    )


def _bound(response: httpx2.Response) -> None:
    # The library sleeps for as long as these say.
    for name in ("Retry-After", "RateLimit"):
        response.headers.pop(name, None)
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise httpx2.DecodingError("the answer is packed, which was not asked for", request=response.request)
    assert isinstance(response.stream, httpx2.SyncByteStream)  # noqa: S101 - a client that is not async has no other
    # What is not the file that was asked for says nothing of it.
    max_bytes = response.request.extensions.get(_MAX_BYTES) if response.status_code in _FILES else None
    response.stream = _Bounded(response.stream, max_bytes)


class _Bounded(httpx2.SyncByteStream):
    """An answer that ends with an error once it is longer, or takes longer, than it may."""

    def __init__(self, stream: httpx2.SyncByteStream, max_file_bytes: int | None) -> None:
        self._stream = stream
        self._max_bytes = MAX_ANSWER_BYTES if max_file_bytes is None else max_file_bytes
        self._error = StoreError if max_file_bytes is None else OversizedFileError

    def __iter__(self) -> Iterator[bytes]:
        n_bytes, until_s = 0, time.monotonic() + ANSWER_S
        for block in self._stream:
            n_bytes += len(block)
            if n_bytes > self._max_bytes:
                raise self._error(f"an answer has more than the {self._max_bytes} bytes that it may have")
            if time.monotonic() > until_s:
                raise httpx2.ReadTimeout("the answer takes too long")
            yield block

    def close(self) -> None:
        self._stream.close()
