"""Connections to one PostgreSQL database: pooled, bounded in time, tried again; its errors as those of a store.

A server that goes away and comes back costs time. What is read is read again. What is written is written again too,
unless it is there: each transaction begins with a token of its call, which a second one of that call would meet.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit
from uuid import uuid4

import psycopg
import stamina
from psycopg import Connection, IsolationLevel, sql
from psycopg.abc import PQGen
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool, PoolTimeout

from juniper_data.errors import StoreAwayError, StoreError, StoreFullError
from juniper_data.stores.postgresql_rows import Row
from juniper_data.stores.postgresql_schema import application, migrate

CONNECTIONS = 8
"""At most, of one process; who finds all in use waits."""

CONNECT_S = 5
STATEMENT_S = 15
"""Above what any statement takes of a database with millions of datasets."""

ANSWER_S = 20.0
"""After so long a server that says nothing at all, which is frozen, is taken for lost."""

PATIENCE_S = 10.0
"""So long a call is tried again while the server is away."""

_LOCK_S = 10
_WAIT_S = 2.0
"""For one of the connections."""

_SETTINGS = {
    "statement_timeout": f"{STATEMENT_S}s",
    "lock_timeout": f"{_LOCK_S}s",
    # Who is stopped in the middle of a transaction keeps others waiting no longer.
    "idle_in_transaction_session_timeout": f"{STATEMENT_S}s",
    # To compile a query takes longer than any here runs.
    "jit": "off",
    # So do other processes to start.
    "max_parallel_workers_per_gather": "0",
    # An index is in memory, or on a disk without moving parts.
    "random_page_cost": "1.1",
}
_TRANSPORT: dict[str, Any] = {
    "connect_timeout": CONNECT_S,
    # A host that is gone without a word is noticed.
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 2,
    "tcp_user_timeout": 20_000,
}
# After these the same call may succeed: a lost connection, a transaction that gave way to another, a server that ends
# or starts, too many connections, and a lock that was not had: a token's is held until its commit has ended.
_PASSING = ("08", "25P03", "40", "53300", "55P03", "57P01", "57P02", "57P03")
# What is said to who connects has no code: what it is known by, and what mends it.
_REFUSALS = {
    "password authentication failed": "juniper-ctl credentials set juniper_data_postgresql_password",
    "no password supplied": "juniper-ctl credentials set juniper_data_postgresql_password",
    "no pg_hba.conf entry": "the server's pg_hba.conf has to let this host in",
    'FATAL: database "': "sudo -u postgres createdb --encoding UTF8 --owner {user} {database}",
    'FATAL: role "': "sudo -u postgres createuser --pwprompt {user}",
    "permission denied for database": "sudo -u postgres psql -c 'ALTER DATABASE {database} OWNER TO {user}'",
    "SSL": "see sslmode and sslrootcert in JUNIPER_DATA_POSTGRESQL_URL",
    "certificate": "see sslmode and sslrootcert in JUNIPER_DATA_POSTGRESQL_URL",
    "connection is bad: ": "see JUNIPER_DATA_POSTGRESQL_URL",
}

log = logging.getLogger(__name__)

T = TypeVar("T")


class NoAnswerError(psycopg.OperationalError):
    """A server that takes what it is sent, and says nothing."""


class BoundedConnection(Connection[Row]):
    """A connection that is lost once its server says nothing for `ANSWER_S`."""

    answer_s = ANSWER_S

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        """What psycopg does while it waits."""
        began_s = time.monotonic()
        try:
            return super().wait(gen, interval, self.answer_s if timeout is None else timeout)
        except psycopg.OperationalError as error:
            if time.monotonic() - began_s < self.answer_s:
                raise
            self.close()
            raise NoAnswerError(f"it did not answer for {self.answer_s:g} s") from error


class Connections:
    """A pool, and the schema brought up to date. Safe to use from any threads.

    Args:
        url: `postgresql://USER@HOST/DATABASE`, without a password.
        password: empty: none.
        patience_s: how long a call is tried again while the server is away.
        opening_patience_s: how long it is waited for here.

    Raises StoreError where it cannot be opened, StoreAwayError (one of these) while the server does not answer.
    """

    def __init__(
        self, url: str, password: str, *, patience_s: float = PATIENCE_S, opening_patience_s: float = PATIENCE_S
    ) -> None:
        place = urlsplit(url)
        self._url = url
        self._keywords = _TRANSPORT | {"application_name": application()} | ({"password": password} if password else {})
        self._names = {"database": unquote(place.path[1:]), "user": unquote(place.username or "")}
        self._where = f"PostgreSQL's {self._names['database']} at {place.hostname or 'localhost'}:{place.port or 5432}"
        self._tries = partial(stamina.retry_context, on=_is_passing, attempts=None, wait_initial=0.02, wait_max=1.0)
        self._patience_s = patience_s
        with self._errors():
            for attempt in self._tries(timeout=opening_patience_s):
                with attempt, self._telling(attempt.num), self._connect() as connection:
                    migrate(connection)
        self._pool = ConnectionPool(
            url,
            kwargs={**self._keywords, "autocommit": True, "row_factory": dict_row, "prepare_threshold": None},
            connection_class=BoundedConnection,
            min_size=1,
            max_size=CONNECTIONS,
            timeout=_WAIT_S,
            # Soon given up: who asks next has it tried anew, and at once.
            reconnect_timeout=1.0,
            configure=_configure,
            name="juniper-data",
            open=True,
        )

    def read(self, work: Callable[[Connection[Row]], T]) -> T:
        """What a call makes of one state of the database, whatever is written meanwhile. It may be called again."""
        with self._errors():
            for attempt in self._tries(timeout=self._patience_s):
                with attempt, self._borrowed() as connection:
                    connection.isolation_level, connection.read_only = IsolationLevel.REPEATABLE_READ, True
                    with connection.transaction():
                        return work(connection)
        raise AssertionError("stamina ends with a return or an exception")  # pragma: no cover

    def write(self, work: Callable[[Connection[Row]], T]) -> T:
        """What a call returns that changes the database: all of that is on the server's disk then, or nothing of it.

        It may be called again, in another transaction.
        """
        token = uuid4()
        # What was done in a transaction whose commit was not answered.
        done: list[T] = []
        with self._errors(done):
            for attempt in self._tries(timeout=self._patience_s):
                with attempt, self._borrowed() as connection:
                    connection.isolation_level, connection.read_only = IsolationLevel.READ_COMMITTED, None
                    with connection.transaction():
                        if not _is_new(connection, token):
                            return done[0]
                        done.clear()
                        result = work(connection)
                        done.append(result)
                    return result
        raise AssertionError("stamina ends with a return or an exception")  # pragma: no cover

    def close(self) -> None:
        """Let go of all; no call may follow."""
        self._pool.close()

    @contextmanager
    def _borrowed(self) -> Iterator[Connection[Row]]:
        try:
            connection = self._pool.getconn()
        except PoolTimeout:
            self._connect().close()  # It raises the reason, unless that is that all are in use.
            raise
        try:
            yield connection
        except NoAnswerError:
            self._pool.putconn(connection)
            raise
        except BaseException:
            is_lost = connection.closed
            self._pool.putconn(connection)
            if is_lost:
                self._pool.check()  # The server has ended, and with it the others.
            raise
        else:
            self._pool.putconn(connection)

    def _connect(self) -> Connection[Row]:
        connection = BoundedConnection.connect(self._url, **self._keywords, row_factory=dict_row)
        _configure(connection)
        return connection

    @contextmanager
    def _telling(self, attempt: int) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            if attempt == 1 and _is_passing(error):
                log.warning("%s is waited for: %s", self._where, _line(error))
            raise

    @contextmanager
    def _errors(self, done: list[T] | None = None) -> Iterator[None]:
        """Errors as those of a store; `done` is not empty where a commit was not answered."""
        try:
            yield
        except psycopg.Error as error:
            kind, told = self._translated(error)
            unknown = "; whether it is written nobody knows" if done else ""
            raise kind(f"{self._where}: {told}{unknown}") from error

    def _translated(self, error: psycopg.Error) -> tuple[type[StoreError], str]:
        told = _line(error)
        if isinstance(error, PoolTimeout):
            return StoreAwayError, f"all {CONNECTIONS} connections are in use"
        if error.sqlstate is None:
            for said, cure in _REFUSALS.items():
                if said in told:
                    return StoreError, f"{told}; {cure.format(**self._names)}"
        match error.sqlstate:
            case "53100":
                return StoreFullError, told
            case "25006":
                return StoreError, f"{told}; it is a standby, or default_transaction_read_only is set"
            case "42501" | "3F000":
                cure = "sudo -u postgres psql -c 'ALTER DATABASE {database} OWNER TO {user}'"
                return StoreError, f"{told}; {cure.format(**self._names)}"
            case "57014":
                return StoreError, f"{told} ({STATEMENT_S} s)"
        return StoreAwayError if _is_passing(error) else StoreError, told


def _configure(connection: Connection[Row]) -> None:
    for name, value in _SETTINGS.items():
        connection.execute(sql.SQL("SET {} = {}").format(sql.Identifier(name), sql.Literal(value)))


def _is_new(connection: Connection[Row], token: object) -> bool:
    """Note a token; false where it is there. It waits while a commit of it is on its way."""
    return connection.execute("INSERT INTO commits VALUES (%s) ON CONFLICT DO NOTHING", (token,)).rowcount == 1


def _is_passing(error: Exception) -> bool:
    if not isinstance(error, psycopg.Error):
        return False
    if error.sqlstate is not None:
        return error.sqlstate.startswith(_PASSING)
    return isinstance(error, psycopg.OperationalError) and not any(said in _line(error) for said in _REFUSALS)


def _line(error: psycopg.Error) -> str:
    """What it says, without the statement that it says it of."""
    return " ".join((error.diag.message_primary or str(error)).split())
