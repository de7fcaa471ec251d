"""One SQLite file, its writer and its readers."""

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from juniper_cascor.runs.sqlite_file import SqliteFile, StoreError

TABLE = "CREATE TABLE words (word TEXT UNIQUE) STRICT;"


@pytest.fixture
def file(tmp_path: Path) -> Iterator[SqliteFile]:
    """A file with a table of words."""
    opened = SqliteFile(tmp_path / "words.sqlite3", [TABLE])
    yield opened
    opened.close()


def _words(file: SqliteFile) -> list[str]:
    with file.reading() as connection:
        return [row["word"] for row in connection.execute("SELECT word FROM words ORDER BY rowid")]


def _write(file: SqliteFile, *words: str) -> None:
    with file.writing() as connection:
        connection.executemany("INSERT INTO words VALUES (?)", [(word,) for word in words])


def test_readers_do_not_wait_for_a_writer(file: SqliteFile) -> None:
    """While it is in the midst of writing they see what was there before."""
    _write(file, "before")
    with file.writing() as connection:
        connection.execute("INSERT INTO words VALUES ('now')")
        reader = threading.Thread(target=lambda: found.append(_words(file)))
        found: list[list[str]] = []
        reader.start()
        reader.join()
        assert found == [["before"]]
    assert _words(file) == ["before", "now"]


def test_a_reader_sees_one_moment(file: SqliteFile) -> None:
    """Whatever is written while it reads on, and whoever else reads then."""
    _write(file, "one")
    with file.reading() as connection:
        assert connection.execute("SELECT count(*) FROM words").fetchone()[0] == 1
        _write(file, "two")
        assert connection.execute("SELECT count(*) FROM words").fetchone()[0] == 1
        assert _words(file) == ["one", "two"]


def test_what_fails_half_way_is_not_written(file: SqliteFile) -> None:
    """And the file goes on to be used."""
    with pytest.raises(StoreError, match="the run store cannot be used: UNIQUE constraint failed"):
        _write(file, "one", "one")
    _write(file, "two")
    assert _words(file) == ["two"]


def test_many_threads_write_and_read(file: SqliteFile) -> None:
    """One after another where they write, at once where they read."""

    def use(thread: int) -> None:
        for number in range(20):
            _write(file, f"{thread}.{number}")
            assert f"{thread}.{number}" in _words(file)

    threads = [threading.Thread(target=use, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(_words(file)) == 100


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    """In one line that names it; it is left as it is, and nothing is held open."""
    path = tmp_path / "words.sqlite3"
    path.write_bytes(bytes(range(256)) * 40)
    for _ in range(2):
        with pytest.raises(StoreError, match=r"^.*words\.sqlite3 cannot be opened: file is not a database$"):
            SqliteFile(path, [TABLE])
    assert path.read_bytes() == bytes(range(256)) * 40


def test_a_file_that_is_damaged_within_says_so_when_it_is_used(tmp_path: Path) -> None:
    """What SQLite finds only when it comes to the page."""
    path = tmp_path / "words.sqlite3"
    file = SqliteFile(path, [TABLE])
    _write(file, *(f"{number:0100}" for number in range(1_000)))
    file.close()
    content = bytearray(path.read_bytes())
    content[4_096:] = b"\xa5" * (len(content) - 4_096)
    path.write_bytes(content)
    damaged = SqliteFile(path, [TABLE])
    with pytest.raises(StoreError, match=r"^the run store cannot be used: database disk image is malformed$"):
        _words(damaged)
    damaged.close()


def test_a_migration_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    """It is applied whole or not at all."""
    path = tmp_path / "words.sqlite3"
    SqliteFile(path, [TABLE]).close()
    with pytest.raises(StoreError, match="cannot be opened: no such table: sentences"):
        SqliteFile(path, [TABLE, "DROP TABLE words; DROP TABLE sentences;"])
    file = SqliteFile(path, [TABLE])
    assert _words(file) == []
    file.close()


def test_a_second_service_is_refused(tmp_path: Path) -> None:
    """It would take the first one's run for an interrupted one."""
    file = SqliteFile(tmp_path / "words.sqlite3", [TABLE])
    with pytest.raises(StoreError, match="another training service uses the state folder"):
        SqliteFile(tmp_path / "words.sqlite3", [TABLE])
    file.close()
    SqliteFile(tmp_path / "words.sqlite3", [TABLE]).close()


def test_a_closed_file_is_not_used(tmp_path: Path) -> None:
    """Neither read nor written, also by whoever was reading when it was closed."""
    file = SqliteFile(tmp_path / "words.sqlite3", [TABLE])
    _write(file, "one")
    with file.reading() as connection:
        file.close()
        assert connection.execute("SELECT word FROM words").fetchone()["word"] == "one"
    with pytest.raises(sqlite3.ProgrammingError):
        connection.execute("SELECT word FROM words")
    with pytest.raises(StoreError, match="closed"):
        _words(file)
    with pytest.raises(StoreError, match="closed"):
        _write(file, "two")
