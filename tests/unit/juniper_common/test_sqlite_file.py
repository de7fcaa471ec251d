"""One SQLite file, its writer and its readers."""

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from juniper_common.sqlite_file import Migrations, SqliteFile, StoreError, StoreFullError

TABLE = "CREATE TABLE words (word TEXT UNIQUE) STRICT;"
WORDS = Migrations((TABLE,))
WHAT = "the word store"

# Writes a word to each of many files as soon as it is told to: its arguments are their folder, the table, and the word.
WRITER = """
import sys
from pathlib import Path
from juniper_common.sqlite_file import Migrations, SqliteFile
folder, table, word = sys.argv[1:]
print("ready", flush=True)
sys.stdin.readline()
for number in range(50):
    file = SqliteFile(Path(folder, f"{number}.sqlite3"), Migrations((table,)), "the word store")
    with file.writing() as connection:
        connection.execute("INSERT INTO words VALUES (?)", (word,))
    file.close()
"""


@pytest.fixture
def file(tmp_path: Path) -> Iterator[SqliteFile]:
    """A file with a table of words."""
    opened = SqliteFile(tmp_path / "words.sqlite3", WORDS, WHAT)
    yield opened
    opened.close()


@pytest.fixture(params=["on disk", "in memory"])
def any_file(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqliteFile]:
    """The same, wherever it is."""
    opened = SqliteFile(tmp_path / "words.sqlite3" if request.param == "on disk" else None, WORDS, WHAT)
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


def test_what_fails_half_way_is_not_written(any_file: SqliteFile) -> None:
    """And the file goes on to be used."""
    with pytest.raises(StoreError, match="the word store cannot be used: UNIQUE constraint failed"):
        _write(any_file, "one", "one")
    _write(any_file, "two")
    assert _words(any_file) == ["two"]


def test_many_threads_write_and_read(any_file: SqliteFile) -> None:
    """One after another where they write, at once where they read."""

    def use(thread: int) -> None:
        for number in range(20):
            _write(any_file, f"{thread}.{number}")
            assert f"{thread}.{number}" in _words(any_file)

    threads = [threading.Thread(target=use, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(_words(any_file)) == 100


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    """In one line that names it; it is left as it is, and nothing is held open."""
    path = tmp_path / "words.sqlite3"
    path.write_bytes(bytes(range(256)) * 40)
    for _ in range(2):
        with pytest.raises(StoreError, match=r"^.*words\.sqlite3 cannot be opened: file is not a database$"):
            SqliteFile(path, WORDS, WHAT)
    assert path.read_bytes() == bytes(range(256)) * 40


def test_a_file_that_is_damaged_within_says_so_when_it_is_used(tmp_path: Path) -> None:
    """What SQLite finds only when it comes to the page."""
    path = tmp_path / "words.sqlite3"
    file = SqliteFile(path, WORDS, WHAT)
    _write(file, *(f"{number:0100}" for number in range(1_000)))
    file.close()
    content = bytearray(path.read_bytes())
    content[4_096:] = b"\xa5" * (len(content) - 4_096)
    path.write_bytes(content)
    damaged = SqliteFile(path, WORDS, WHAT)
    with pytest.raises(StoreError, match=r"^the word store cannot be used: database disk image is malformed$"):
        _words(damaged)
    damaged.close()


def test_a_migration_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    """It is applied whole or not at all."""
    path = tmp_path / "words.sqlite3"
    SqliteFile(path, WORDS, WHAT).close()
    with pytest.raises(StoreError, match="cannot be opened: no such table: sentences"):
        SqliteFile(path, Migrations((TABLE, "DROP TABLE words; DROP TABLE sentences;")), WHAT)
    file = SqliteFile(path, WORDS, WHAT)
    assert _words(file) == []
    file.close()


def test_a_second_sole_user_is_refused(tmp_path: Path) -> None:
    """Until the first one has closed the file."""
    file = SqliteFile(tmp_path / "words.sqlite3", WORDS, WHAT, sole_user="writer")
    with pytest.raises(StoreError, match=f"^another writer uses the state folder {tmp_path}$"):
        SqliteFile(tmp_path / "words.sqlite3", WORDS, WHAT, sole_user="writer")
    file.close()
    SqliteFile(tmp_path / "words.sqlite3", WORDS, WHAT, sole_user="writer").close()


def test_several_processes_share_a_file(tmp_path: Path) -> None:
    """Also those that make it at the same moment."""
    commands = [[sys.executable, "-c", WRITER, str(tmp_path), TABLE, word] for word in "abcd"]
    writers = [subprocess.Popen(each, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for each in commands]
    for writer in writers:
        assert writer.stdout is not None
        writer.stdout.readline()
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write(b"go\n")
        writer.stdin.flush()
    for writer in writers:
        writer.communicate()
    assert [writer.returncode for writer in writers] == [0, 0, 0, 0]
    for path in tmp_path.glob("*.sqlite3"):
        file = SqliteFile(path, WORDS, WHAT)
        assert sorted(_words(file)) == ["a", "b", "c", "d"]
        file.close()


def test_a_migration_may_have_triggers() -> None:
    """Their statements end with semicolons, too."""
    file = SqliteFile(
        None,
        Migrations(
            (
                TABLE,
                """
                -- A word; and its echo.
                CREATE TRIGGER echo AFTER INSERT ON words WHEN new.word NOT LIKE '%;' BEGIN
                    INSERT INTO words VALUES (new.word || ';'); SELECT 1;
                END;
                """,
            )
        ),
        WHAT,
    )
    _write(file, "hello")
    assert _words(file) == ["hello", "hello;"]
    file.close()


def test_a_full_disk_is_told_from_other_errors(any_file: SqliteFile) -> None:
    """Here a bound on the file's pages; what was there stays."""
    _write(any_file, "before")
    with any_file.writing() as connection:
        connection.execute("PRAGMA max_page_count = 1")
    with pytest.raises(StoreFullError, match=r"^the word store cannot be used: database or disk is full$"):
        _write(any_file, *(f"{number:0100}" for number in range(1_000)))
    assert _words(any_file) == ["before"]


def test_a_closed_file_is_not_used(tmp_path: Path) -> None:
    """Neither read nor written, also by whoever was reading when it was closed."""
    file = SqliteFile(tmp_path / "words.sqlite3", WORDS, WHAT)
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
