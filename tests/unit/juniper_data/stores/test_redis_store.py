"""What the store in Redis does beyond the contract: when its server goes, is full, lets nobody in, or forgets."""

import io
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Literal

import pytest

from juniper_common.wire.dataset_queries import DatasetFilter
from juniper_data.errors import (
    DatasetDamagedError,
    DatasetNotFoundError,
    QuotaExceededError,
    StoreAwayError,
    StoreError,
    StoreFullError,
)
from juniper_data.stores import redis_store
from juniper_data.stores.protocol import Accesses, Quota, Stored
from juniper_data.stores.redis_server import Patience
from juniper_data.stores.redis_store import PIECE_BYTES, RedisStore
from tests.cut_line import CutLine
from tests.redis_server import RedisProcess, free_port, why_not
from tests.unit.juniper_data.stores.made import NOON, content_of, id_of, later, made
from tests.unit.juniper_data.stores.samples import content, contents, holding

pytestmark = pytest.mark.skipif(why_not() is not None, reason=str(why_not()))

HASTY = Patience(connect_s=0.5, answer_s=0.5, away_s=0.3, opening_s=0)
LARGE = bytes(range(256)) * (2 * PIECE_BYTES // 256) + b"the last piece"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisProcess]:
    """A server that a test may do to what it likes."""
    with closing(RedisProcess(tmp_path / "redis")) as server:
        yield server


@contextmanager
def opened(server: RedisProcess, patience: Patience = Patience()) -> Iterator[RedisStore]:  # noqa: B008 - frozen
    """A store in it."""
    with closing(RedisStore(server.url, patience=patience)) as store:
        yield store


@pytest.fixture
def store(server: RedisProcess) -> Iterator[RedisStore]:
    """An empty store in it."""
    with opened(server) as store:
        yield store


def keys(server: RedisProcess) -> set[str]:
    """All that the server holds."""
    return {key.decode() for key in server.client.scan_iter()}


def test_a_server_that_is_killed_in_mid_write_loses_nothing_that_was_answered(
    server: RedisProcess, store: RedisStore
) -> None:
    """It comes back with all that was put and not deleted, each whole, and with figures that fit; nobody notices."""
    numbers, failures = count(), list[Exception]()
    answered, deleted = set[int](), set[int]()
    ends = threading.Event()

    def write() -> None:
        try:
            while not ends.is_set():
                number = next(numbers)
                store.put(*holding(number, LARGE if number % 10 == 0 else content_of(number), dataset_name="n"))
                answered.add(number)
                if number % 3 == 0:
                    store.delete(id_of(number))
                    deleted.add(number)
        except Exception as error:  # noqa: BLE001 - raised below, in the test's own thread
            failures.append(error)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for kill in range(1, 5):
        while len(answered) < 15 * kill and not failures:
            threads[0].join(0.01)
        server.restart()
    ends.set()
    for thread in threads:
        thread.join()
    assert failures == []
    found = contents(store)
    assert found.keys() == {id_of(number) for number in answered - deleted}
    versions = [meta.dataset_version for meta in store.versions("n")]
    assert len(versions) == len(set(versions)) == len(found)
    stats = store.stats(NOON)
    assert (stats.total_datasets, stats.total_bytes) == (len(found), sum(map(len, found.values())))


def test_a_store_that_is_opened_again_holds_the_same(server: RedisProcess, store: RedisStore) -> None:
    """After the server was killed, too."""
    store.put(*made(1, tags=("a",), dataset_name="n"))
    server.restart()
    with opened(server) as again:
        assert again.meta(id_of(1)) == store.meta(id_of(1))
        assert content(again, id_of(1)) == content_of(1)


def test_a_server_that_is_away_is_told_of_in_time(server: RedisProcess) -> None:
    """Whatever is asked; and when it is back, so is all that it had."""
    with opened(server, HASTY) as store:
        store.put(*made(1))
        server.kill()
        calls: list[Callable[[], object]] = [
            store.check,
            lambda: store.put(*made(2)),
            lambda: store.meta(id_of(1)),
            lambda: store.open_artifact(id_of(1)),
            lambda: store.delete(id_of(1)),
        ]
        for call in calls:
            with pytest.raises(StoreAwayError, match=f"Redis at 127.0.0.1:{server.port} does not answer: .*refused"):
                call()
        server.start()
        assert contents(store) == {id_of(1): content_of(1)}


def test_a_server_that_hangs_is_not_waited_for(server: RedisProcess) -> None:
    """A call ends with an error, and the next one after it went on is answered."""
    with opened(server, HASTY) as store:
        server.process.send_signal(signal.SIGSTOP)
        try:
            with pytest.raises(StoreAwayError, match="does not answer: Timeout"):
                store.put(*made(1))
        finally:
            server.process.send_signal(signal.SIGCONT)
        store.put(*made(2))
        assert content(store, id_of(2)) == content_of(2)


def test_a_store_is_opened_when_its_server_has_come_up(server: RedisProcess) -> None:
    """As after a power cut, where both start at once."""
    server.kill()
    with pytest.raises(StoreAwayError):
        RedisStore(server.url, patience=HASTY)
    with ThreadPoolExecutor() as pool:
        opening = pool.submit(RedisStore, server.url)
        server.start()
        with closing(opening.result()) as store:
            assert store.check() is None


def test_a_server_that_loads_its_data_is_waited_for(server: RedisProcess, store: RedisStore) -> None:
    """Whoever does not wait is told so."""
    for number in range(10):
        store.put(*holding(number, os.urandom(5_000)))  # While it loads, it listens once in a thousand bytes.
    server.client.config_set("appendonly", "no")
    server.client.save()
    server.kill()
    server.start(waits=False, appendonly="no", key_load_delay="20000", loading_process_events_interval_bytes="1024")
    with pytest.raises(StoreAwayError, match="is still loading its data"):
        RedisStore(server.url, patience=HASTY)
    assert len(contents(store)) == 10


@pytest.mark.parametrize("cut", ["before", "after"])
def test_what_is_asked_again_is_done_once(server: RedisProcess, cut: Literal["before", "after"]) -> None:
    """Whether the question was lost on its way, or the answer."""
    with CutLine(server.port, b"EVALSHA", cut) as line, closing(RedisStore(line.url)) as store:

        def lost(call: Callable[[], object]) -> None:
            line.cuts_next = True
            call()
            assert not line.cuts_next

        puts: list[Stored] = []

        store.ids(1, 0)  # The server has the script now.
        lost(lambda: puts.append(store.put(*made(1, dataset_name="n", tags=("a",)))))
        assert [(put.created, put.meta.dataset_version) for put in puts] == [(True, 1)]
        lost(lambda: store.record_accesses({id_of(1): Accesses(2, NOON)}))
        assert store.meta(id_of(1)).access_count == 2
        lost(lambda: store.delete(id_of(1)))
        assert (store.ids(10, 0), store.stats(NOON).total_bytes) == ([], 0)


def test_two_services_share_one_store(server: RedisProcess) -> None:
    """One of them makes an id, names count on, and the quota is of both together."""
    with closing(RedisStore(server.url, quota=Quota(max_datasets=2))) as one, opened(server) as other:
        assert one.put(*made(1, dataset_name="n")).created
        assert not other.put(*made(1)).created
        assert other.put(*made(2, dataset_name="n")).meta.dataset_version == 2
        with pytest.raises(QuotaExceededError):
            one.put(*made(3))


def test_a_large_artifact_lies_in_pieces(server: RedisProcess, store: RedisStore) -> None:
    """It comes back as it was, and can be read to its end when it is deleted meanwhile."""
    store.put(*holding(1, LARGE))
    (artifact,) = (key for key in keys(server) if ":artifact:" in key)
    assert server.client.hlen(artifact) == 3
    with store.open_artifact(id_of(1)).file as file:
        store.delete(id_of(1))
        assert file.read() == LARGE


class _Broken(io.BytesIO):
    """An artifact that breaks off behind its first piece."""

    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell():
            raise OSError("it broke off")
        return super().read(size)


def test_a_put_that_breaks_off_leaves_nothing(server: RedisProcess, store: RedisStore) -> None:
    """Not even what it has written already."""
    before = keys(server)
    with pytest.raises(OSError, match="broke off"):
        store.put(holding(1, LARGE)[0], _Broken(LARGE))
    assert keys(server) == before


def test_what_a_killed_put_has_written_goes_by_itself(server: RedisProcess, store: RedisStore) -> None:
    """Redis is told when; what has become a dataset stays."""
    store._server.call("write", "killed", 0, b"half", 1_000_000)
    store.put(*made(1))
    lives = {key: server.client.pttl(key) for key in keys(server) if ":artifact:" in key}
    assert 0 < lives.pop("juniper:artifact:killed") <= 1_000_000
    assert list(lives.values()) == [-1]


def test_redis_removes_what_has_expired_by_itself(server: RedisProcess, store: RedisStore) -> None:
    """At the end of its time and the grace after it, whatever the clock of whoever made it says."""
    store.put(*made(1, expires_at=later(1 + 60)))
    for key in keys(server):
        if ":artifact:" in key or ":meta:" in key:
            lives_s = server.client.pttl(key) / 1000
            assert 50 < lives_s - redis_store.GRACE.total_seconds() < 62


def test_what_redis_has_removed_is_in_no_figure(server: RedisProcess) -> None:
    """Nor in a list, or under a name; and its room is free."""
    with closing(RedisStore(server.url, quota=Quota(max_datasets=1), grace=timedelta())) as store:
        store.put(*made(1, expires_at=later(1), tags=("a",), dataset_name="n", parent_dataset_id=id_of(7)))
        with pytest.raises(DatasetNotFoundError):
            store.meta(id_of(1))
        assert (store.ids(10, 0), store.versions("n")) == ([], [])
        assert store.stats(NOON).model_dump(include={"total_bytes", "by_tag", "by_generator", "expired_count"}) == {
            "total_bytes": 0,
            "by_tag": {},
            "by_generator": {},
            "expired_count": 0,
        }
        assert keys(server) == {"juniper:names", "juniper:totals"}
        assert store.put(*made(2, dataset_name="n")).meta.dataset_version == 2


def test_a_full_server_refuses_and_gives_and_deletes(server: RedisProcess, store: RedisStore) -> None:
    """What was written of the refused dataset takes no room."""
    store.put(*made(1))
    before = keys(server)
    server.client.config_set("maxmemory", server.client.info("memory")["used_memory"] + PIECE_BYTES + 2_000_000)
    with pytest.raises(StoreFullError, match=r"^Redis at [0-9.:]+ is full: .{,200}$"):
        store.put(*holding(2, LARGE))
    assert keys(server) == before
    server.client.config_set("maxmemory", 1)
    with pytest.raises(StoreFullError):
        store.check()
    assert content(store, id_of(1)) == content_of(1)
    store.delete(id_of(1))
    assert store.ids(10, 0) == []
    server.client.config_set("maxmemory", 0)
    store.put(*made(2))


@pytest.mark.parametrize(
    ("settings", "warning"),
    [
        ({"appendonly": "no"}, "not durable: appendonly is off"),
        ({"appendfsync": "everysec"}, "appendfsync is everysec: a power cut may cost the last"),
        ({"maxmemory-policy": "allkeys-lru"}, "maxmemory-policy is allkeys-lru: when its memory is full"),
    ],
)
def test_what_the_settings_of_the_server_may_cost_is_told(
    server: RedisProcess, store: RedisStore, settings: dict[str, str], warning: str, caplog: pytest.LogCaptureFixture
) -> None:
    """By each check, and in the log of each start."""
    assert store.check() is None
    for name, value in settings.items():
        server.client.config_set(name, value)
    told = store.check()
    assert told is not None
    with opened(server):
        pass
    assert warning in told
    assert told in caplog.text


def test_a_server_that_keeps_its_settings_to_itself_is_asked_what_it_does(
    server: RedisProcess, store: RedisStore
) -> None:
    """Where CONFIG is not allowed."""
    server.client.config_set("appendonly", "no")
    server.set_user("default", "-config")
    assert "appendonly is off" in str(store.check())


@pytest.mark.parametrize("password", [None, "", "wrong"])
def test_a_password_that_is_not_the_servers_is_refused(server: RedisProcess, password: str | None) -> None:
    """At once, naming the credential and not the password; with the right one all is well."""
    server.client.config_set("requirepass", "right")
    with pytest.raises(
        StoreError, match=r"does not let us in: .*the credential juniper_data_redis_password"
    ) as refused:
        RedisStore(server.url, password)
    assert not isinstance(refused.value, StoreAwayError)
    with closing(RedisStore(server.url, "right")) as store:
        store.check()


def test_a_user_needs_few_rights(server: RedisProcess) -> None:
    """Those that the docs name: keys of its own, and nothing that is dangerous."""
    rights = "~juniper:* +@all -@dangerous +info +config|get"
    server.set_user("juniper", "on", ">right", *rights.split())
    assert rights in (Path(__file__).parents[4] / "docs" / "stores.md").read_text()
    with closing(RedisStore(server.url.replace("//", "//juniper@"), "right")) as store:
        assert store.check() is None
        store.put(*made(1, tags=("a",), dataset_name="n", expires_at=later(2)))
        assert content(store, id_of(1)) == content_of(1)
        assert store.find(DatasetFilter(generator="xor", tags="a"), NOON).total == 1
        assert store.delete_expired(later(2)) == [id_of(1)]


def test_a_database_that_the_server_does_not_have_is_refused(server: RedisProcess) -> None:
    """At once, in the server's words."""
    with pytest.raises(StoreError, match="DB index is out of range") as refused:
        RedisStore(server.url.replace("/0", "/99"))
    assert not isinstance(refused.value, StoreAwayError)


def test_a_server_may_speak_tls(tmp_path: Path) -> None:
    """Where its certificate is one that is trusted."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    names = ["-subj", "/CN=redis", "-addext", "subjectAltName=IP:127.0.0.1"]
    made_for = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", *names]
    command = ["openssl", "req", "-x509", *made_for, "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    files = {"tls_cert_file": str(certificate), "tls_key_file": str(key), "tls_auth_clients": "no"}
    with closing(RedisProcess(tmp_path / "redis", **files)) as server:
        server.client.config_set("tls-port", (port := free_port()))
        url = f"rediss://127.0.0.1:{port}/0"
        with closing(RedisStore(f"{url}?ssl_ca_certs={certificate}")) as store:
            store.put(*made(1))
            assert content(store, id_of(1)) == content_of(1)
        with pytest.raises(StoreAwayError, match="CERTIFICATE_VERIFY_FAILED"):
            RedisStore(url, patience=HASTY)


@pytest.mark.parametrize("change", ["loses", "writes"])
def test_what_others_do_to_an_artifact_is_found(server: RedisProcess, store: RedisStore, change: str) -> None:
    """It is never given; the dataset can be deleted and made again."""
    store.put(*made(1))
    (artifact,) = (key for key in keys(server) if ":artifact:" in key)
    if change == "loses":
        server.client.delete(artifact)
    else:
        server.client.hset(artifact, "0", b"artifact 2")
    with pytest.raises(DatasetDamagedError):
        store.open_artifact(id_of(1))
    store.delete(id_of(1))
    assert store.put(*made(1)).created
    assert content(store, id_of(1)) == content_of(1)


def put_many(server: RedisProcess, store: RedisStore) -> list[str]:
    """More datasets than are removed at once, all expired, and none with bytes."""
    server.client.config_set("appendfsync", "no")
    for number in range(1001):
        row = store._row(made(number, expires_at=later(number + 60))[0]) | {"place": "", "pieces": 0}
        store._call("put", redis_store._json(row), "{}", "")
    return [id_of(number) for number in range(1001)]


def scripts_run(server: RedisProcess) -> int:
    """How often."""
    return int(server.client.info("commandstats")["cmdstat_evalsha"]["calls"])


def test_what_has_expired_is_removed_some_at_a_time(server: RedisProcess, store: RedisStore) -> None:
    """So that others are not kept waiting, however much that is."""
    ids = put_many(server, store)
    before = scripts_run(server)
    assert sorted(store.delete_expired(later(2000))) == ids
    assert scripts_run(server) - before == 3  # a thousand, one, and none
    assert (store.ids(10, 0), store.stats(NOON).total_bytes) == ([], 0)


def test_what_redis_has_let_go_of_is_removed_some_at_a_time(server: RedisProcess, store: RedisStore) -> None:
    """Before anything else is answered."""
    ids = put_many(server, store)
    server.client.zadd("juniper:lapses", dict.fromkeys(ids, 1))
    before = scripts_run(server)
    assert store.names() == {}
    assert scripts_run(server) - before == 2
    assert store.stats(NOON).total_datasets == 0
