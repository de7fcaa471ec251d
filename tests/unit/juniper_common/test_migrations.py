"""A file that a later release has migrated, and that this one is to open again."""

import logging
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from juniper_common.sqlite_file import Migration, Migrations, SqliteFile, StoreError, StoreTooNewError

TABLE = "CREATE TABLE words (word TEXT UNIQUE) STRICT;"
LENGTHS = Migration(
    "ALTER TABLE words ADD COLUMN length INTEGER; UPDATE words SET length = length(word);",
    "ALTER TABLE words DROP COLUMN length;",
)
LANGUAGES = Migration("CREATE TABLE languages (name TEXT) STRICT;", "DROP TABLE languages;")
NOW = Migrations((TABLE,))
NEXT = Migrations((TABLE,), (LENGTHS,))
AFTER_NEXT = Migrations((TABLE,), (LENGTHS, LANGUAGES))
WHAT = "the word store"
ENDLESS = """
    DELETE FROM words;
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i FROM n) SELECT count(*) FROM n;
"""

# Opens the file that is its argument, which says how it is taken back.
OPENER = """
import sys
from pathlib import Path
from juniper_common.sqlite_file import Migrations, SqliteFile
SqliteFile(Path(sys.argv[1]), Migrations((sys.argv[2],)), "the word store")
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file of this release with a word."""
    path = tmp_path / "words.sqlite3"
    with closing(SqliteFile(path, NOW, WHAT)) as file, file.writing() as connection:
        connection.execute("INSERT INTO words VALUES ('one')")
    return path


def opened(path: Path, migrations: Migrations) -> None:
    """Open it, and let go of it."""
    SqliteFile(path, migrations, WHAT).close()


def content(path: Path) -> Sequence[object]:
    """The version, the schema and the words."""
    with closing(sqlite3.connect(path)) as connection:
        schema = connection.execute("SELECT sql FROM sqlite_master ORDER BY name").fetchall()
        return [*connection.execute("PRAGMA user_version"), *schema, *connection.execute("SELECT * FROM words")]


def test_a_file_of_the_next_release_is_taken_back(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is as this release made it, with what the next one has written; one line says so."""
    before = content(path)
    with closing(SqliteFile(path, NEXT, WHAT)) as file, file.writing() as connection:
        connection.execute("INSERT INTO words VALUES ('three', 5)")
    with caplog.at_level(logging.WARNING):
        opened(path, NOW)
    assert content(path) == [*before, ("three",)]
    assert caplog.messages == ["the word store had schema 2 of a later version, and is taken back to 1"]


def test_an_upgrade_can_be_taken_back_again_and_again(path: Path) -> None:
    """Each time the file is the same."""
    before = content(path)
    for _ in range(2):
        opened(path, NEXT)
        opened(path, NOW)
        assert content(path) == before


def test_each_release_takes_one_step_back(path: Path) -> None:
    """So whoever goes back by several releases goes through them."""
    before = content(path)
    opened(path, AFTER_NEXT)
    with pytest.raises(StoreTooNewError, match=r"^the word store has schema 3; this version knows 1, and no way back"):
        opened(path, NOW)
    opened(path, NEXT)
    opened(path, NOW)
    assert content(path) == before


def test_a_newer_file_that_holds_no_way_back_is_refused(path: Path) -> None:
    """It is not touched; both versions are named, and what to do."""
    opened(path, Migrations((TABLE, "CREATE TABLE more (a)")))
    before = content(path)
    refusal = r"^the word store has schema 2; this version knows 1, and no way back to it: use a later version$"
    with pytest.raises(StoreTooNewError, match=refusal):
        opened(path, NOW)
    assert content(path) == before


def test_a_file_of_before_there_were_ways_back_is_opened(path: Path) -> None:
    """It keeps what it holds, and can be migrated."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE migrations")
    opened(path, NOW)
    opened(path, NEXT)
    assert content(path)[-1] == ("one", 3)


@pytest.mark.parametrize(
    "back",
    [
        "DELETE FROM words; DROP TABLE sentences;",
        "DELETE FROM words; ATTACH DATABASE ':memory:' AS other;",
    ],
)
def test_a_step_back_that_fails_leaves_the_file_as_it_was(path: Path, back: str) -> None:
    """It is taken whole or not at all, and reaches no other file."""
    opened(path, Migrations((TABLE,), (Migration("", back),)))
    before = content(path)
    with pytest.raises(StoreError, match="cannot be opened: "):
        opened(path, NOW)
    assert content(path) == before


def test_a_step_back_that_is_killed_leaves_the_file_as_it_was(path: Path) -> None:
    """Whoever opens it next finds all that there was."""
    slow = Migrations((TABLE,), (Migration("", ENDLESS),))
    opened(path, slow)
    before = content(path)
    with subprocess.Popen([sys.executable, "-c", OPENER, path, TABLE]) as opener:
        while opener.poll() is None and not is_locked(path):
            pass
        opener.kill()
    assert opener.returncode == -signal.SIGKILL
    opened(path, slow)
    assert content(path) == before


def is_locked(path: Path) -> bool:
    """Whether somebody writes to it."""
    with closing(sqlite3.connect(path, timeout=0)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return True
    return False
