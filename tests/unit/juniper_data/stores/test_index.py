"""The index of datasets as a file."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from juniper_common.sqlite_file import Migration, Migrations, SqliteFile
from juniper_common.wire.dataset_queries import DatasetFilter
from juniper_data.errors import DatasetDamagedError, DatasetNotFoundError, StoreError, StoreFullError
from juniper_data.stores.index import Added, Index, Located
from juniper_data.stores.protocol import Accesses, Quota
from juniper_data.stores.schema import MIGRATIONS
from tests.unit.juniper_data.stores.made import NOON, PROFILE, id_of, later, made

# Adds the same datasets as others like it, as soon as it is told to; says how many of them it was the first with.
RACING = """
import sys
from pathlib import Path
from juniper_common.wire.datasets import DatasetMeta
from juniper_data.stores.index import Index
from juniper_data.stores.protocol import Quota
path, name, *metas = sys.argv[1:]
datasets = [DatasetMeta.model_validate_json(meta) for meta in metas]
print("ready", flush=True)
sys.stdin.readline()
index = Index(Path(path), Quota(max_datasets=30))
print(sum(index.add(meta, f"{name}-{meta.dataset_id}").created for meta in datasets))
index.close()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where an index may be."""
    return tmp_path / "state" / "index.sqlite3"


@pytest.fixture
def index(path: Path) -> Iterator[Index]:
    """An empty index that takes whatever comes."""
    opened = Index(path, Quota())
    yield opened
    opened.close()


def test_what_was_added_is_there_when_it_is_opened_again(index: Index, path: Path) -> None:
    """Everything of it."""
    meta, _ = made(1, tags=("a", "b"), dataset_name="n")
    index.add(meta, "there")
    index.record_accesses({id_of(1): Accesses(2, NOON)})
    index.claim_key("k", "first", NOON, later(9))
    before = index.meta(id_of(1))
    index.close()
    again = Index(path, Quota())
    assert again.meta(id_of(1)) == before
    assert again.find(DatasetFilter(tags="a", dataset_name="n"), NOON).total == 1
    assert again.claim_key("k", "second", NOON, later(9)) == "first"
    again.close()


def test_a_second_one_on_the_same_file_sees_what_the_first_wrote(index: Index, path: Path) -> None:
    """At once, each way."""
    second = Index(path, Quota())
    index.add(made(1)[0], "one")
    assert second.add(made(1)[0], "another") == Added(index.meta(id_of(1)), created=False, replaced=None)
    second.remove(id_of(1))
    with pytest.raises(DatasetNotFoundError):
        index.meta(id_of(1))
    second.close()


def test_of_several_processes_one_is_the_first(path: Path) -> None:
    """Of each dataset, also where the file was not there before; and none takes room that another needs."""
    metas = [made(number, dataset_name="n")[0].model_dump_json() for number in range(30)]
    commands = [[sys.executable, "-c", RACING, str(path), name, *metas] for name in "abc"]
    racers = [subprocess.Popen(each, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for each in commands]
    for racer in racers:
        assert racer.stdout is not None
        racer.stdout.readline()
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write(b"go\n")
        racer.stdin.flush()
    assert sum(int(racer.communicate()[0]) for racer in racers) == 30
    index = Index(path, Quota())
    assert sorted(index.ids(100, 0)) == [id_of(number) for number in range(30)]
    assert [meta.dataset_version for meta in index.versions("n")] == list(range(1, 31))
    index.close()


def test_a_location_is_told(index: Index) -> None:
    """With what must be there, as long as the dataset is."""
    meta, _ = made(1)
    index.add(meta, "there")
    assert index.locate(id_of(1)) == Located("there", meta.checksum)
    assert (index.locations(""), index.has_location("there"), index.has_location("else")) == ({"there"}, True, False)
    assert index.remove(id_of(1)) == "there"
    assert (index.locations(""), index.has_location("there")) == (set(), False)
    with pytest.raises(DatasetNotFoundError):
        index.locate(id_of(1))


def test_locations_are_told_by_how_they_begin(index: Index) -> None:
    """A store that sweeps one folder after another needs not hold all of them in memory."""
    for number, location in enumerate(("a/1", "a/2", "ab/1", "b/1")):
        index.add(made(number)[0], location)
    assert (index.locations("a/"), index.locations("c/")) == ({"a/1", "a/2"}, set())


def test_who_replaces_an_expired_dataset_is_told_where_it_was(index: Index) -> None:
    """Its artifact can go then."""
    index.add(made(1, expires_at=later(10))[0], "old")
    meta, _ = made(1, created_at=later(10))
    assert index.add(meta, "new") == Added(meta, created=True, replaced="old")
    assert index.locations("") == {"new"}


def test_what_has_expired_is_told_with_its_location(index: Index) -> None:
    """It is gone from the index then."""
    index.add(made(1, expires_at=later(10))[0], "one")
    index.add(made(2)[0], "two")
    assert index.remove_expired(later(10)) == [(id_of(1), "one")]
    assert index.locations("") == {"two"}


def test_expired_keys_are_removed_with_what_has_expired(index: Index) -> None:
    """They would gather otherwise."""
    index.claim_key("k", "first", NOON, later(10))
    index.claim_key("l", "first", NOON, later(11))
    index.remove_expired(later(10))
    with index._file.reading() as connection:
        assert [row["key"] for row in connection.execute("SELECT key FROM keys")] == ["l"]


def test_a_newer_index_is_refused(index: Index, path: Path) -> None:
    """Both versions are named."""
    with index._file.writing() as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreError, match=r"^the dataset index has schema 99; this version knows 1, and no way back"):
        Index(path, Quota())


def test_an_index_of_the_next_release_is_taken_back(index: Index, path: Path) -> None:
    """With every dataset; what that release knew of it and this one does not is passed over."""
    index.add(made(1, tags=("a",), dataset_name="n", profile=PROFILE)[0], "there")
    before = index.meta(id_of(1))
    index.close()
    step = Migration("ALTER TABLE datasets ADD COLUMN owner TEXT;", "ALTER TABLE datasets DROP COLUMN owner;")
    newer = SqliteFile(path, Migrations(MIGRATIONS.first, (step,)), "the dataset index")
    with newer.writing() as connection:
        connection.execute("UPDATE datasets SET owner = 'me'")
        connection.execute("UPDATE details SET meta = json_set(meta, '$.owner', 'me')")
        connection.execute("UPDATE details SET profile = json_set(profile, '$.owner', 'me')")
    newer.close()
    again = Index(path, Quota())
    assert again.meta(id_of(1)) == before
    assert again.find(DatasetFilter(tags="a", dataset_name="n"), NOON).total == 1
    again.close()


def test_a_file_that_cannot_be_is_refused(tmp_path: Path) -> None:
    """It is named."""
    (tmp_path / "state").write_bytes(b"a file, no folder")
    with pytest.raises(StoreError, match=r"index\.sqlite3 cannot be opened: .*File exists"):
        Index(tmp_path / "state" / "index.sqlite3", Quota())


@pytest.mark.parametrize("column", ["meta", "profile"])
@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"dataset_id": 1}'])
def test_a_damaged_row_says_whose_it_is(index: Index, column: str, text: str) -> None:
    """It can be removed, and the dataset added anew."""
    index.add(made(1)[0], "one")
    with index._file.writing() as connection:
        connection.execute(f"UPDATE details SET {column} = ?", (text,))  # noqa: S608
    calls: list[Callable[[], object]] = [
        lambda: index.meta(id_of(1)),
        lambda: index.add(made(1)[0], "two"),
        lambda: index.add_version(id_of(1), "n"),
        lambda: index.change_tags(id_of(1), ["a"], []),
    ]
    if column == "meta":
        calls.append(lambda: index.find(DatasetFilter(), NOON))
    for call in calls:
        with pytest.raises(DatasetDamagedError, match=f"its {column} cannot be read") as refused:
            call()
        assert refused.value.dataset_id == id_of(1)
    assert index.remove(id_of(1)) == "one"
    assert index.add(made(1)[0], "two").created


def test_a_full_disk_loses_nothing(index: Index) -> None:
    """Here a bound on the file's pages: what was written can be read, and goes on when there is room again."""
    meta, _ = made(0)
    index.add(meta, "0")
    with index._file.writing() as connection:
        connection.execute("PRAGMA max_page_count = 1")
    n_added = 1
    with pytest.raises(StoreFullError, match=r"^the dataset index cannot be used: database or disk is full$"):
        for number in range(1, 1_000):
            index.add(made(number, description="x" * 1_000)[0], str(number))
            n_added += 1
    assert index.meta(id_of(0)) == meta
    assert (index.stats(NOON).total_datasets, len(index.locations(""))) == (n_added, n_added)
    with index._file.writing() as connection:
        connection.execute("PRAGMA max_page_count = 100000")
    assert index.add(made(n_added)[0], "more").created


def test_a_closed_index_is_not_used(index: Index) -> None:
    """It says so."""
    index.close()
    with pytest.raises(StoreError, match="closed"):
        index.meta(id_of(1))


def test_a_profile_is_kept_to_the_last_digit(index: Index) -> None:
    """Beside the meta, since lists leave it out."""
    index.add(made(1)[0], "one")
    index.change_tags(id_of(1), ["a"], [])
    assert index.meta(id_of(1)).profile == PROFILE
