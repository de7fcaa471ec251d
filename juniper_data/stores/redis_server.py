"""A Redis server as its store talks to it: through a pool, within limits of time, and asked again when it was away.

Whatever is asked here may be asked twice: an answer may be lost on its way, and then nobody knows what became of it.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

import stamina
from redis import BlockingConnectionPool, Redis, exceptions
from redis.backoff import NoBackoff
from redis.retry import Retry

from juniper_data.errors import StoreAwayError, StoreError, StoreFullError

MAX_CONNECTIONS = 32

OLDEST = (7, 0)
"""Before it, scripts could not both ask for the time and write."""

_SCRIPT = Path(__file__).with_name("redis_store.lua")

log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for a server."""

    connect_s: float = 2.0
    answer_s: float = 5.0
    away_s: float = 5.0
    """It is asked again for so long, if it is gone or still loads its data."""
    opening_s: float = 60.0
    """The same of a store that is opened. More than a minute for six starts: systemd would give up after fewer."""


class RedisServer:
    """A server, and the script that runs in it; for any threads.

    Args:
        url: as in `Settings.redis_url`.
        password: None or empty: it asks for none.
        prefix: what all keys begin with; whoever has the same shares them.
        patience: how long to wait.

    Raises:
        StoreAwayError: it does not answer, or not yet.
        StoreError: it does not let us in, or is too old.
    """

    def __init__(self, url: str, password: str | None, prefix: str, patience: Patience) -> None:
        self._name = f"Redis at {urlsplit(url).netloc.rpartition('@')[2]}"
        self._prefix = prefix
        self._patience = patience
        self._client = Redis(
            connection_pool=BlockingConnectionPool.from_url(
                url,
                max_connections=MAX_CONNECTIONS,
                timeout=patience.answer_s,
                password=password or None,
                socket_connect_timeout=patience.connect_s,
                socket_timeout=patience.answer_s,
                socket_keepalive=True,
                retry=Retry(NoBackoff(), 0),  # `_asked` does that, with one limit for it all.
                protocol=2,
            )
        )
        self._script = self._client.register_script(_SCRIPT.read_bytes())
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    def call(self, operation: str, *arguments: str | int | bytes) -> Any:
        """What an operation of the script answers."""
        # The script answers so while it removes what has lapsed, some at a time, and has done nothing else yet.
        while (answer := self._asked(lambda: self._script(args=[self._prefix, operation, *arguments]))) == [b"again"]:
            pass
        return answer

    def piece(self, place: str, number: int) -> bytes | None:
        """A piece of an artifact; None where that is gone."""
        answer = self._asked(lambda: self._client.hget(f"{self._prefix}artifact:{place}", str(number)))
        return cast("bytes | None", answer)

    def check(self) -> None:
        """Write and remove a little; asked once, since whoever asks wants to know of now."""
        with self._store_errors():
            self._client.set(f"{self._prefix}probe", "", px=1000)
            self._client.delete(f"{self._prefix}probe")

    def warnings(self) -> list[str]:
        """What its settings may cost of that which was answered."""
        with self._store_errors():
            told = self._client.info()
            try:
                fsync = cast("dict[str, str]", self._client.config_get("appendfsync")).get("appendfsync")
            except exceptions.ResponseError:
                fsync = None  # Who runs the server may keep its settings to himself.
        found = []
        if not told["aof_enabled"]:
            found.append("not durable: appendonly is off, and what was answered may be gone when the server ends")
        elif fsync not in (None, "always"):
            found.append(f"appendfsync is {fsync}: a power cut may cost the last that was answered")
        policy = told["maxmemory_policy"]
        if policy != "noeviction":
            found.append(f"maxmemory-policy is {policy}: when its memory is full, the server throws datasets away")
        return found

    def close(self) -> None:
        """Close all connections."""
        self._client.close()
        self._client.connection_pool.disconnect()

    def _open(self) -> None:
        try:
            with self._store_errors():
                self._client.ping()
        except StoreAwayError as error:
            if not self._patience.opening_s:
                raise
            log.warning("waiting up to %g s for the store: %s", self._patience.opening_s, error)
            self._asked(self._client.ping, self._patience.opening_s)
        with self._store_errors():
            version = cast("dict[str, str]", self._client.info("server"))["redis_version"]
        if tuple(map(int, version.split(".")[:2])) < OLDEST:
            raise StoreError(f"{self._name} is version {version}, and 7.0 is the oldest that will do")
        for warning in self.warnings():
            log.warning("%s: %s", self._name, warning)

    def _asked(self, ask: Callable[[], T], away_s: float | None = None) -> T:
        """What it answers, asked again while it is away."""
        timeout = self._patience.away_s if away_s is None else away_s
        with self._store_errors():
            for attempt in stamina.retry_context(
                on=_is_away, attempts=None, timeout=timeout, wait_initial=0.05, wait_max=1.0, wait_jitter=0.1
            ):
                with attempt:
                    return ask()
        raise AssertionError("stamina ends with a return or an exception")  # pragma: no cover

    @contextmanager
    def _store_errors(self) -> Iterator[None]:
        try:
            yield
        except exceptions.OutOfMemoryError as error:
            raise StoreFullError(f"{self._name} is full: {error}") from error
        except (exceptions.AuthenticationError, exceptions.NoPermissionError) as error:
            hint = "the password is the credential juniper_data_redis_password"
            raise StoreError(f"{self._name} does not let us in: {error}; {hint}") from error
        except exceptions.BusyLoadingError as error:
            raise StoreAwayError(f"{self._name} is still loading its data") from error
        except (exceptions.ConnectionError, exceptions.TimeoutError) as error:
            raise StoreAwayError(f"{self._name} does not answer: {error}") from error
        except exceptions.RedisError as error:
            raise StoreError(f"{self._name}: {error}") from error


def _is_away(error: Exception) -> bool:
    return isinstance(error, exceptions.ConnectionError | exceptions.TimeoutError) and not isinstance(
        error, exceptions.AuthenticationError | exceptions.AuthorizationError
    )
