"""The databases that services keep: no released step changes, and every step has its way back."""

import hashlib
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from juniper_cascor.runs.migrations import MIGRATIONS as RUN_STORE
from juniper_common.sqlite_file import Migration, Migrations, SqliteFile
from juniper_data.stores.schema import MIGRATIONS as DATASET_INDEX

STORES = {"run store": RUN_STORE, "dataset index": DATASET_INDEX}

RELEASED = {"run store": ["4fd6976704441ae0", "6dfe1c732c537a01"], "dataset index": ["44157db66a964862"]}
"""The first digits of each released step's sha256, the way back included."""

WITHOUT_WAY_BACK = {"run store": 2, "dataset index": 1}

# What steps may do: a table is made anew, to which another one refers; a column and a table are added.
MADE_UP = Migrations(
    (
        """
        CREATE TABLE words (number INTEGER PRIMARY KEY, word TEXT) STRICT;
        CREATE INDEX words_by_word ON words (word);
        CREATE TABLE uses (word INTEGER REFERENCES words (number)) STRICT;
        """,
    ),
    (
        Migration(
            """
            CREATE TABLE words_2 (number INTEGER PRIMARY KEY, word TEXT NOT NULL UNIQUE) STRICT;
            INSERT INTO words_2 SELECT number, word FROM words;
            DROP TABLE words;
            ALTER TABLE words_2 RENAME TO words;
            """,
            """
            CREATE TABLE words_1 (number INTEGER PRIMARY KEY, word TEXT) STRICT;
            INSERT INTO words_1 SELECT number, word FROM words;
            DROP TABLE words;
            ALTER TABLE words_1 RENAME TO words;
            CREATE INDEX words_by_word ON words (word);
            """,
        ),
        Migration(
            """
            CREATE TABLE languages (name TEXT NOT NULL) STRICT;
            INSERT INTO languages VALUES ('English');
            ALTER TABLE words ADD COLUMN language TEXT;
            """,
            "ALTER TABLE words DROP COLUMN language; DROP TABLE languages;",
        ),
    ),
)


@pytest.mark.parametrize("store", STORES)
def test_released_steps_stay_as_they_were(store: str) -> None:
    """Files that they made are out there."""
    migrations, released = STORES[store], RELEASED[store]
    steps = [*migrations.first, *(step.forward + step.back for step in migrations.later)]
    assert [hashlib.sha256(step.encode()).hexdigest()[:16] for step in steps][: len(released)] == released


@pytest.mark.parametrize("store", STORES)
def test_no_step_without_a_way_back_is_added(store: str) -> None:
    """Those that there are stem from the time before."""
    assert len(STORES[store].first) == WITHOUT_WAY_BACK[store]


@pytest.mark.parametrize("migrations", [MADE_UP, *STORES.values()], ids=["made up", *STORES])
def test_every_step_has_its_way_back(migrations: Migrations, tmp_path: Path) -> None:
    """There, back and there again: the schema is the same, and the rows of the release before are kept."""
    path = tmp_path / "store.sqlite3"
    for number in range(len(migrations.later) + 1):
        before = Migrations(migrations.first, migrations.later[: max(0, number - 1)])
        after = Migrations(migrations.first, migrations.later[:number])
        opened(path, before)
        fill(path)
        schema, rows = schema_of(path), rows_of(path)
        opened(path, after)
        newer = schema_of(path)
        opened(path, before)
        assert (schema_of(path), rows_of(path)) == (schema, rows)
        opened(path, after)
        assert schema_of(path) == newer


def opened(path: Path, migrations: Migrations) -> None:
    """Open it, and let go of it."""
    SqliteFile(path, migrations, "the store").close()


def tables(connection: sqlite3.Connection) -> list[str]:
    """All but what says how to go back."""
    found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name != 'migrations'")
    return [name for (name,) in found]


def fill(path: Path) -> None:
    """Put a row into each table, one more than there was."""
    with closing(sqlite3.connect(path)) as connection, connection:
        for table in tables(connection):
            columns = connection.execute(f"PRAGMA table_info({table})").fetchall()
            (count,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 - our own names
            values = [str(count) if kind == "TEXT" else count for _, _, kind, *_ in columns]
            connection.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(values))})", values)  # noqa: S608


def schema_of(path: Path) -> Sequence[object]:
    """What SQLite has noted of it, but for the quotes that a renamed table gets."""
    question = "SELECT type, name, tbl_name, replace(sql, '\"', '') FROM sqlite_master ORDER BY name"
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(question).fetchall()


def rows_of(path: Path) -> dict[str, Sequence[object]]:
    """Those of each table, in their order."""
    with closing(sqlite3.connect(path)) as connection:
        return {table: connection.execute(f"SELECT * FROM {table}").fetchall() for table in tables(connection)}  # noqa: S608
