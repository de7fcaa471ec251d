"""Kaggle's client library within limits: of time, of size, and with no key but the one that it is given."""

import time
from collections.abc import Iterable, Iterator
from typing import IO, BinaryIO

import requests
from kagglesdk.kaggle_env import KaggleEnv
from kagglesdk.kaggle_http_client import KaggleHttpClient
from requests.adapters import HTTPAdapter

from juniper_common import __version__
from juniper_data.errors import StoreError
from juniper_data.stores.hub import ANSWER_S, CONNECT_S, MAX_ANSWER_BYTES, SILENCE_S, OversizedFileError

BLOCK_BYTES = 1 << 20


class KaggleClient(KaggleHttpClient):  # type: ignore[misc]  # untyped
    """The library's client: for any address, with time limits, and with no key but the one that it is given."""

    def __init__(self, endpoint: str, auth: object) -> None:
        super().__init__(env=KaggleEnv.PROD, user_agent=f"juniper/{__version__}")
        self._endpoint = endpoint
        self._auth = auth

    def _try_fill_auth(self) -> None:
        # A session has just been made.
        mount(self._session)
        self._session.auth = self._auth


class _Bounded(HTTPAdapter):
    """Answers within the time limits. One that is not a file is read here, as far as it may go."""

    def send(self, request: requests.PreparedRequest, stream: bool = False, **rest: object) -> requests.Response:  # type: ignore[override]
        """What the library calls, without a time limit of its own."""
        response = super().send(request, stream=True, **(rest | {"timeout": (CONNECT_S, SILENCE_S)}))  # type: ignore[arg-type]
        if not stream or response.status_code != 200:
            try:
                response._content = b"".join(blocks(response, MAX_ANSWER_BYTES, StoreError))
            except BaseException:
                response.close()
                raise
        return response


def mount(session: requests.Session) -> None:
    """Have all that a session asks answered within the limits."""
    session.headers["Accept-Encoding"] = "identity"
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Bounded())


def blocks(
    response: requests.Response, max_bytes: int, error: type[StoreError] = OversizedFileError
) -> Iterator[bytes]:
    """What was answered, as it is on the wire. Raises the error where it is more than these bytes; requests.Timeout."""
    n_bytes, until_s = 0, time.monotonic() + ANSWER_S
    for block in response.raw.stream(BLOCK_BYTES, decode_content=False):
        n_bytes += len(block)
        if n_bytes > max_bytes:
            raise error(f"an answer has more than the {max_bytes} bytes that it may have")
        if time.monotonic() > until_s:
            raise requests.Timeout("the answer takes too long")
        yield block


def pieces(member: IO[bytes]) -> Iterator[bytes]:
    """A file, some at a time."""
    return iter(lambda: member.read(BLOCK_BYTES), b"")


def copy(content: Iterable[bytes], file: BinaryIO, max_bytes: int) -> None:
    """Write what comes. Raises OversizedFileError where it is more than these bytes."""
    n_bytes = 0
    for block in content:
        n_bytes += len(block)
        if n_bytes > max_bytes:
            raise OversizedFileError(f"a file has more than the {max_bytes} bytes that it may have")
        file.write(block)
