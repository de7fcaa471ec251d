"""What the contract does not say of stores in PostgreSQL: crashes, lost answers, other services, refusals."""

import io
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import BinaryIO, Literal

import psycopg
import pytest
from psycopg.rows import dict_row

from juniper_common.wire.dataset_queries import DatasetFilter
from juniper_data.errors import DatasetDamagedError, StoreAwayError, StoreError, StoreFullError
from juniper_data.stores.postgresql import BATCH_CHUNKS, PostgresqlStore
from juniper_data.stores.postgresql_connections import _SETTINGS, BoundedConnection
from juniper_data.stores.postgresql_index import BATCH
from juniper_data.stores.postgresql_query import condition
from juniper_data.stores.postgresql_schema import _LOCK
from juniper_data.stores.postgresql_tags import BLOCK, FEW, tagged
from juniper_data.stores.protocol import Accesses
from tests.unit.juniper_data.stores.lossy_proxy import Loss, lossy_proxy
from tests.unit.juniper_data.stores.made import NOON, content_of, id_of, later, made
from tests.unit.juniper_data.stores.postgresql_server import (
    CLOSED,
    PASSWORD,
    PostgresqlServer,
    postgresql_server,
    shared_server,
)
from tests.unit.juniper_data.stores.samples import content, contents, holding

MB = 1_000_000

Place = Literal["disk", "database"]

both_places = pytest.mark.parametrize("artifacts", ["disk", "database"])


@pytest.fixture
def url() -> str:
    """Where nothing is yet, in the server that all tests share."""
    return shared_server().empty()


@pytest.fixture
def own_server() -> Iterator[PostgresqlServer]:
    """A server that may be killed."""
    with postgresql_server() as server:
        yield server


def count(url: str, table: str) -> int:
    """How many rows a table has."""
    with psycopg.connect(url) as connection:
        (n,) = connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchall()[0]  # noqa: S608
        return int(n)


def files(folder: Path) -> list[Path]:
    """The artifacts on the disk, whichever database they belong to."""
    return sorted(folder.glob("*/*/*"))


@both_places
def test_services_of_one_database_see_what_each_of_them_writes(url: str, tmp_path: Path, artifacts: Place) -> None:
    """Also where they start at the same moment: one of them makes the tables."""
    with ThreadPoolExecutor(4) as threads:
        stores = list(threads.map(lambda _: PostgresqlStore(url, tmp_path, artifacts=artifacts), range(4)))
    stores[0].put(*made(1, dataset_name="n"))
    assert not stores[1].put(*made(1)).created
    assert stores[2].put(*made(2, dataset_name="n")).meta.dataset_version == 2
    stores[3].delete(id_of(1))
    assert contents(stores[0]) == {id_of(2): content_of(2)}
    for store in stores:
        store.close()


def test_artifacts_are_found_where_they_are_whatever_is_set_now(url: str, tmp_path: Path) -> None:
    """New ones go where it is set."""
    with closing(PostgresqlStore(url, tmp_path)) as store:
        store.put(*made(1))
    with closing(PostgresqlStore(url, tmp_path, artifacts="database")) as store:
        store.put(*made(2))
        assert (len(files(tmp_path)), count(url, "chunks")) == (1, 1)
        assert contents(store) == {id_of(1): content_of(1), id_of(2): content_of(2)}
        for number in (1, 2):
            store.delete(id_of(number))
    assert (files(tmp_path), count(url, "chunks")) == ([], 0)


def test_another_database_leaves_the_files_of_the_first_alone(tmp_path: Path) -> None:
    """What a wrong address does to the artifacts is nothing."""
    urls = [shared_server().empty() for _ in range(2)]
    with closing(PostgresqlStore(urls[0], tmp_path)) as store:
        store.put(*made(1))
    with closing(PostgresqlStore(urls[1], tmp_path)) as store:
        assert store.delete_expired(later(0)) == []
    with closing(PostgresqlStore(urls[0], tmp_path)) as store:
        assert contents(store) == {id_of(1): content_of(1)}


def test_files_without_a_row_are_swept(url: str, tmp_path: Path) -> None:
    """When the store is opened, and with what has expired."""
    with closing(PostgresqlStore(url, tmp_path)) as store:
        store.put(*made(1))
        (file,) = files(tmp_path)
        left = file.with_name("left.npz")
        left.write_bytes(b"half")
        store.delete_expired(later(0))
        assert files(tmp_path) == [file]
    left.write_bytes(b"half")
    PostgresqlStore(url, tmp_path).close()
    assert files(tmp_path) == [file]


@both_places
def test_a_refused_dataset_leaves_nothing(url: str, tmp_path: Path, artifacts: Place) -> None:
    """Neither one that is not what it is said to be, nor one that was there, nor one that cannot be read."""

    class Broken(io.BytesIO):
        def read(self, _: int | None = -1, /) -> bytes:
            raise OSError(5, "Input/output error")

    with closing(PostgresqlStore(url, tmp_path, artifacts=artifacts)) as store:
        store.put(*made(1))
        assert not store.put(*made(1)).created
        refused: list[BinaryIO] = [io.BytesIO(b"something else"), Broken()]
        for artifact in refused:
            with pytest.raises(StoreError):
                store.put(made(2)[0], artifact)
        assert contents(store) == {id_of(1): content_of(1)}
    assert len(files(tmp_path)) + count(url, "chunks") == 1


@both_places
def test_a_large_artifact_passes_through_little_memory(url: str, tmp_path: Path, artifacts: Place) -> None:
    """It is never in memory as a whole, neither on its way in nor out; the last piece is not lost."""
    meta, artifact = holding(1, bytes(20 * MB + 1))
    with closing(PostgresqlStore(url, tmp_path, artifacts=artifacts)) as store:
        tracemalloc.start()
        try:
            store.put(meta, artifact)
            with store.open_artifact(id_of(1)).file as file:
                _, peak = tracemalloc.get_traced_memory()
                assert len(file.read()) == 20 * MB + 1
        finally:
            tracemalloc.stop()
    assert peak < 8 * MB


DAMAGES = {
    "another content": "UPDATE chunks SET content = 'x'",
    "a piece more": "INSERT INTO chunks SELECT location, 1, 'x' FROM chunks",
    "nothing": "DELETE FROM chunks",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_in_the_database_is_told(url: str, tmp_path: Path, damage: str) -> None:
    """The damaged one is never served, and can be deleted and made again."""
    with closing(PostgresqlStore(url, tmp_path, artifacts="database")) as store:
        store.put(*made(1))
        with psycopg.connect(url) as connection:
            connection.execute(DAMAGES[damage].encode())
        with pytest.raises(DatasetDamagedError, match="delete it and create it again"):
            store.open_artifact(id_of(1))
        store.delete(id_of(1))
        assert store.put(*made(1)).created
        assert content(store, id_of(1)) == content_of(1)


def test_texts_with_signs_that_postgresql_does_not_take_are_told_apart(url: str, tmp_path: Path) -> None:
    """A NUL among them."""
    with closing(PostgresqlStore(url, tmp_path)) as store:
        texts = ["\0", "\\0", "\\", "\\\\0", "0"]
        for number, text in enumerate(texts):
            store.put(*made(number, tags=(text,), dataset_name=text))
        for number, text in enumerate(texts):
            for query in (DatasetFilter(tags=text), DatasetFilter(dataset_name=text)):
                assert [meta.dataset_id for meta in store.find(query, NOON).datasets] == [id_of(number)]
            assert [meta.dataset_name for meta in store.versions(text)] == [text]
        assert store.stats(NOON).by_tag == dict.fromkeys(texts, 1)
        assert store.claim_key("\0", "first", NOON, later(9)) == "first"
        assert store.claim_key("\\0", "second", NOON, later(9)) == "second"


def refuse_to_remove(url: str, table: str, condition: str) -> None:
    """Fail where `condition` says so of the `removed` rows of one statement."""
    with psycopg.connect(url) as connection:
        connection.execute(
            f"""
            CREATE FUNCTION refuse_{table}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                IF (SELECT {condition} FROM removed) THEN RAISE 'it took too long'; END IF; RETURN NULL;
            END $$;
            CREATE TRIGGER refuse AFTER DELETE ON {table} REFERENCING OLD TABLE AS removed
                FOR EACH STATEMENT EXECUTE FUNCTION refuse_{table}();
        """.encode()  # noqa: S608
        )


def add_chunks(url: str, n: int) -> None:
    """Make each artifact one of so many further chunks."""
    with psycopg.connect(url) as connection:
        query = "INSERT INTO chunks SELECT location, n, 'x' FROM datasets, generate_series(1, %s) AS n"
        connection.execute(query, (n,))


def test_whatever_has_expired_is_swept_some_at_a_time(url: str, tmp_path: Path) -> None:
    """Many datasets, and large ones: no statement removes more than it has time for."""
    with closing(PostgresqlStore(url, tmp_path, artifacts="database")) as store:
        for number in (-1, -2):
            store.put(*made(number, dataset_id=id_of(9999 - number), expires_at=later(5)))
        add_chunks(url, 2 * BATCH_CHUNKS)
        add_tagged(url, 2 * BATCH)
        with psycopg.connect(url) as connection:
            connection.execute("UPDATE datasets SET expires_at = 0")
        refuse_to_remove(url, "datasets", f"count(*) > {BATCH}")
        refuse_to_remove(url, "chunks", f"count(*) > {BATCH_CHUNKS}")
        assert len(store.delete_expired(later(9))) == 2 * BATCH + 2
        assert [count(url, table) for table in ("datasets", "chunks", "unused", "tag_blocks")] == [0] * 4


def test_what_an_interrupted_removal_leaves_is_swept(
    url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The dataset is gone, and told to be."""
    with closing(PostgresqlStore(url, tmp_path, artifacts="database")) as store:
        store.put(*made(1))
        add_chunks(url, 3 * BATCH_CHUNKS)
        refuse_to_remove(url, "chunks", f"count(*) < {BATCH_CHUNKS}")
        store.delete(id_of(1))
        assert "still takes room, which the next sweep frees" in caplog.text
        assert (store.ids(10, 0), count(url, "chunks")) == ([], 1)
        with psycopg.connect(url) as connection:
            connection.execute("DROP TRIGGER refuse ON chunks")
        assert store.delete_expired(NOON) == []
        assert [count(url, table) for table in ("chunks", "unused")] == [0, 0]


# Each, and what tells that it was done once. The dataset 1 is there before, and 2 has expired.
CHANGES: dict[str, Callable[[PostgresqlStore], object]] = {
    "put": lambda store: store.put(*made(3, dataset_name="n")),
    "replace": lambda store: store.put(*made(2, created_at=later(9))),
    "put again": lambda store: store.put(*made(1, dataset_name="other")),
    "delete": lambda store: store.delete(id_of(1)),
    "delete_expired": lambda store: store.delete_expired(later(9)),
    "add_version": lambda store: store.add_version(id_of(1), "n"),
    "count_names": lambda store: store.count_names({"n": 4}),
    "change_tags": lambda store: store.change_tags(id_of(1), ["a", "b"], ["a"]),
    "record_accesses": lambda store: store.record_accesses({id_of(1): Accesses(3, NOON)}),
    "claim_key": lambda store: store.claim_key("k", "mine", NOON, later(9)),
}


def prepared(url: str, folder: Path, artifacts: Place) -> PostgresqlStore:
    """A store with what the changes need."""
    store = PostgresqlStore(url, folder, artifacts=artifacts)
    store.put(*made(1, tags=("a", "c")))
    store.put(*made(2, expires_at=later(5)))
    return store


def told(store: PostgresqlStore) -> object:
    """All that is known of all datasets."""
    return (
        [store.meta(dataset_id) for dataset_id in store.ids(10, 0)],
        contents(store),
        store.names(),
        store.stats(NOON),
    )


@pytest.mark.parametrize("losses", [["commit"], ["answer"], ["commit", "answer"]], ids="+".join)
@pytest.mark.parametrize("change", CHANGES)
@both_places
def test_a_lost_commit_or_answer_changes_nothing(
    url: str, tmp_path: Path, artifacts: Place, change: str, losses: list[Loss]
) -> None:
    """It is done once, and told as if nothing had been lost."""
    with closing(prepared(shared_server().empty(), tmp_path / "plain", artifacts)) as plain:
        expected = CHANGES[change](plain), told(plain)
    server = shared_server()
    with lossy_proxy(server.port) as proxy:
        lossy = url.replace(str(server.port), str(proxy.port))
        with closing(prepared(lossy, tmp_path / "lossy", artifacts)) as store:
            proxy.to_lose += losses
            found = CHANGES[change](store)
            assert proxy.to_lose == []
            assert (found, told(store)) == expected
    assert len(files(tmp_path / "lossy")) == len(files(tmp_path / "plain"))


def test_a_server_that_is_killed_again_and_again_loses_nothing_that_was_answered(
    own_server: PostgresqlServer, tmp_path: Path
) -> None:
    """In mid-write, with artifacts in either place; who writes waits, and is not refused."""
    url = own_server.url("postgres")
    with (
        closing(PostgresqlStore(url, tmp_path, patience_s=60)) as on_disk,
        closing(PostgresqlStore(url, tmp_path, artifacts="database", patience_s=60)) as in_database,
        ThreadPoolExecutor(4) as threads,
    ):
        puts = []
        for kill in range(3):
            begun = threading.Semaphore(0)

            def put(number: int, begun: threading.Semaphore = begun) -> bool:
                begun.release()
                store = on_disk if number % 2 else in_database
                return store.put(*holding(number, bytes([number]) * 100_000)).created

            puts += [threads.submit(put, number) for number in range(20 * kill, 20 * kill + 20)]
            for _ in range(8):
                begun.acquire()
            own_server.kill()
            own_server.start()
        assert [each.result() for each in puts] == [True] * 60
        expected = {id_of(number): bytes([number]) * 100_000 for number in range(60)}
        assert contents(on_disk) == expected
    assert (len(files(tmp_path)), count(url, "chunks")) == (30, 30)


def test_a_server_that_is_away_is_said_to_be_and_comes_back(own_server: PostgresqlServer, tmp_path: Path) -> None:
    """Once it answers again, so does the store."""
    url = own_server.url("postgres")
    with closing(PostgresqlStore(url, tmp_path, patience_s=0.1)) as store:
        store.put(*made(1))
        own_server.kill()
        for call in (lambda: store.meta(id_of(1)), lambda: store.put(*made(2)), store.check):
            with pytest.raises(StoreAwayError, match=f"PostgreSQL's postgres at 127.0.0.1:{own_server.port}: "):
                call()
        with pytest.raises(StoreAwayError):
            PostgresqlStore(url, tmp_path, opening_patience_s=0.1)
        own_server.start()
        store.put(*made(3))
        assert contents(store) == {id_of(number): content_of(number) for number in (1, 3)}
        assert store.delete_expired(later(0)) == []
        assert len(files(tmp_path)) == 2


def test_a_frozen_server_is_taken_for_lost(
    own_server: PostgresqlServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes what it is sent and says nothing, as on a host whose disk hangs."""
    monkeypatch.setattr(BoundedConnection, "answer_s", 0.5)
    with closing(PostgresqlStore(own_server.url("postgres"), tmp_path, patience_s=0.001)) as store:
        store.put(*made(1))
        own_server.freeze()
        try:
            with pytest.raises(StoreAwayError, match=r"did not answer for 0\.5 s"):
                store.meta(id_of(1))
        finally:
            own_server.thaw()
        monkeypatch.setattr(BoundedConnection, "answer_s", 60)
        assert store.meta(id_of(1)) == made(1)[0]


def test_who_was_stopped_in_the_middle_of_a_transaction_is_tried_again(
    own_server: PostgresqlServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server ends a transaction in which nothing happens: it may be another time's luck."""
    monkeypatch.setitem(_SETTINGS, "idle_in_transaction_session_timeout", "20ms")
    pauses_s = [0.5, 0]

    class Stalling(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if pauses_s:
                time.sleep(pauses_s.pop(0))
            return super().read(size)

    with closing(PostgresqlStore(own_server.url("postgres"), tmp_path, artifacts="database")) as store:
        assert store.put(made(1)[0], Stalling(content_of(1))).created
        assert contents(store) == {id_of(1): content_of(1)}


@pytest.mark.parametrize(("lock_timeout", "said"), [("20ms", "lock timeout"), ("60s", r"did not answer for 0\.5 s")])
def test_a_start_waits_no_longer_than_any_call(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lock_timeout: str, said: str
) -> None:
    """Neither for another one that does not come to its end, nor for a server that says nothing."""
    monkeypatch.setitem(_SETTINGS, "lock_timeout", lock_timeout)
    monkeypatch.setattr(BoundedConnection, "answer_s", 0.5)
    with psycopg.connect(url) as other:
        other.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        with pytest.raises(StoreAwayError, match=said):
            PostgresqlStore(url, tmp_path, opening_patience_s=0.001)


def open_refused(url: str, folder: Path, password: str = "") -> str:
    """What is said of a database that cannot be opened; in one line."""
    with pytest.raises(StoreError) as refused:
        PostgresqlStore(url, folder, password=password, opening_patience_s=0.001)
    said = str(refused.value)
    assert "\n" not in said
    assert isinstance(refused.value, StoreAwayError) == ("too many" in said)
    return said


def test_a_database_that_asks_for_a_password_is_shown_it(tmp_path: Path) -> None:
    """A missing or wrong one is told with the command that sets it, and never shown."""
    server = shared_server()
    server.run(f"CREATE DATABASE {CLOSED}")
    url = server.url(CLOSED)
    PostgresqlStore(url, tmp_path, password=PASSWORD).close()
    for password in ("", "wrong"):
        said = open_refused(url, tmp_path, password)
        assert said.endswith("juniper-ctl credentials set juniper_data_postgresql_password")
        assert "wrong" not in said


def test_what_is_missing_on_the_server_is_told_with_its_command(tmp_path: Path) -> None:
    """The database, or the role."""
    server = shared_server()
    assert open_refused(server.url("nowhere"), tmp_path).endswith(
        "sudo -u postgres createdb --encoding UTF8 --owner juniper nowhere"
    )
    assert open_refused(server.url("postgres", "stranger"), tmp_path).endswith(
        "sudo -u postgres createuser --pwprompt stranger"
    )


# How a role is made that cannot work, and what is said to it.
ROLES = {
    "guest": (
        "",
        "permission denied for schema public; sudo -u postgres psql -c 'ALTER DATABASE postgres OWNER TO guest'",
    ),
    "crowd": ("CONNECTION LIMIT 0", 'too many connections for role "crowd"'),
}


@pytest.mark.parametrize("role", ROLES)
def test_a_role_that_cannot_work_is_told_why(tmp_path: Path, role: str) -> None:
    """It may not make tables, or is connected too often."""
    options, said = ROLES[role]
    shared_server().run(f"CREATE ROLE {role} LOGIN {options}")
    assert said in open_refused(shared_server().url("postgres", role), tmp_path)


def test_a_server_that_is_only_read_is_told(url: str, tmp_path: Path) -> None:
    """As a standby is."""
    assert "it is a standby, or default_transaction_read_only is set" in open_refused(
        f"{url}%20-cdefault_transaction_read_only%3Don", tmp_path
    )


def test_a_database_of_another_encoding_is_refused(tmp_path: Path) -> None:
    """It could not hold every text."""
    server = shared_server()
    server.run("CREATE DATABASE latin TEMPLATE template0 ENCODING LATIN1 LOCALE 'C'")
    assert "encoding is LATIN1: make another one, with createdb --encoding UTF8" in open_refused(
        server.url("latin"), tmp_path
    )


def test_a_server_without_room_says_so(url: str, tmp_path: Path) -> None:
    """Nothing is left of what it did not take."""
    with closing(PostgresqlStore(url, tmp_path)) as store:
        with psycopg.connect(url) as connection:
            connection.execute("""
                CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                    RAISE 'could not extend file: No space left on device' USING ERRCODE = 'disk_full';
                END $$;
                CREATE TRIGGER refuse BEFORE INSERT ON details EXECUTE FUNCTION refuse();
            """)
        with pytest.raises(StoreFullError, match="No space left on device"):
            store.put(*made(1))
        assert (store.ids(10, 0), files(tmp_path)) == ([], [])


def test_check_says_that_the_server_may_lose_what_was_written(url: str, tmp_path: Path) -> None:
    """Where it answers before it is on its disk."""
    with (
        closing(PostgresqlStore(f"{url}%20-csynchronous_commit%3Doff", tmp_path)) as store,
        pytest.raises(StoreError, match="synchronous_commit is off"),
    ):
        store.check()


def test_a_filter_reads_an_index(url: str, tmp_path: Path) -> None:
    """Of many datasets a page is found without a look at all of them."""
    with closing(PostgresqlStore(url, tmp_path, artifacts="database")) as store:
        for number in range(3):
            store.put(*made(number))
        with psycopg.connect(url, row_factory=dict_row) as connection:
            connection.execute("""
                INSERT INTO datasets (id, generator, created_at, expires_at, n_samples, size_bytes, tags, location,
                    checksum, access_count)
                SELECT 'xor-1.0.0-' || n, 'xor', n, 9223372036854775807, n, 1, ARRAY[(n % 1000)::text], n::text, '', 0
                FROM generate_series(1, 20000) AS n;
                ANALYZE datasets;
            """)
            for query, index in (
                (DatasetFilter(), "datasets_by_time"),
                (DatasetFilter(tags="7"), "datasets_pkey"),
                (DatasetFilter(min_samples=19_990), "datasets_by_samples"),
            ):
                where, values = condition(query, NOON)
                if tags := tagged(connection, query):
                    where, values = tags.condition, tags.values
                page = f"EXPLAIN SELECT * FROM datasets WHERE {where} ORDER BY created_at DESC, id DESC LIMIT 100"  # noqa: S608
                plan = connection.execute(page.encode(), values).fetchall()
                assert index in str(plan)


@pytest.mark.parametrize("n", [FEW - 1, FEW + 1])
def test_tags_that_many_datasets_have_in_many_combinations_are_found_by_their_bits(
    url: str, tmp_path: Path, n: int
) -> None:
    """Each once, without those that have expired, over gaps in the numbers, and whether few fit or many."""
    with closing(PostgresqlStore(url, tmp_path, artifacts="database")) as store:
        add_tagged(url, n)

        def total(tags: str, tags_match: Literal["any", "all"] = "any", **fields: object) -> int:
            query = DatasetFilter.model_validate({"tags": tags, "tags_match": tags_match, **fields})
            found = store.find(query, NOON)
            assert len(found.datasets) == min(100, found.total)
            return found.total

        assert total("all") == n - n // 10
        assert total("all", include_expired=True) == n
        assert total("third-0,third-1,run-5", include_expired=True) == n // 3 + (n + 2) // 3 + 1
        assert total("all,third-1", "all", include_expired=True) == (n + 2) // 3
        assert [total(tags, "all") for tags in ("all,run-7", "run-7,run-8", "all,none", "run-10")] == [1, 0, 0, 0]
        assert total("all", generator="xor", min_samples=5) == n - n // 10 - 4
        assert store.stats(NOON).by_tag["third-0"] == n // 3


def test_what_tells_of_a_tag_goes_with_the_last_dataset_that_has_it(url: str, tmp_path: Path) -> None:
    """Deleted, swept, or given others; those of other datasets stay."""
    with closing(PostgresqlStore(url, tmp_path)) as store:
        for number, tags in enumerate((("a", "b"), ("b", "c"), ("d",))):
            store.put(*made(number, tags=tags, expires_at=later(9) if number == 1 else None))
        store.delete(id_of(0))
        assert count(url, "tag_blocks") == 3
        store.delete_expired(later(9))
        store.change_tags(id_of(2), ["e", "d"], ["d"])
        assert store.stats(NOON).by_tag == {"d": 1, "e": 1}
        store.change_tags(id_of(2), [], ["d", "e"])
        assert count(url, "tag_blocks") == 0


def add_tagged(url: str, n: int) -> None:
    """So many datasets, each tenth expired, in blocks between which one is empty."""
    with psycopg.connect(url) as connection:
        connection.execute(
            f"""
            WITH numbered AS (
                INSERT INTO datasets (number, id, generator, created_at, expires_at, n_samples, size_bytes, tags,
                    location, checksum, access_count)
                OVERRIDING SYSTEM VALUE
                SELECT n + (n / {BLOCK} + 2) * {BLOCK}, 'xor-1.0.0-' || lpad(to_hex(n), 16, '0'), 'xor', n,
                    CASE n %% 10 WHEN 0 THEN 0 ELSE 9223372036854775807 END, n, 1,
                    ARRAY['all', 'run-' || n, 'third-' || n %% 3], n::text, '', 0
                FROM generate_series(1, {n}) AS n RETURNING number
            )
            INSERT INTO details SELECT number, %s, NULL FROM numbered
            """.encode(),  # noqa: S608
            (made(1)[0].model_dump_json(exclude={"profile"}),),
        )
