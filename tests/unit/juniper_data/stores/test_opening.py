"""From the setting to the store."""

import sys
from contextlib import closing
from pathlib import Path

import pytest
import redis
from pydantic import SecretStr, ValidationError

from juniper_data.errors import QuotaExceededError, StoreAwayError, StoreError
from juniper_data.settings import Settings
from juniper_data.stores.cached import CachedStore
from juniper_data.stores.file_system import FileSystemStore
from juniper_data.stores.hub_store import HubStore
from juniper_data.stores.memory import MemoryStore
from juniper_data.stores.opening import open_store
from tests import redis_server
from tests.unit.juniper_data.stores.hub_servers.kinds import KINDS
from tests.unit.juniper_data.stores.made import NOON, content_of, id_of, made
from tests.unit.juniper_data.stores.postgresql_server import shared_server
from tests.unit.juniper_data.stores.samples import artifact_files, content

CACHED = [f"cached:{fast}:{slow}" for fast in ("memory", "file_system") for slow in ("memory", "file_system")]


@pytest.mark.parametrize(
    ("word", "kind"),
    [("memory", MemoryStore), ("file_system", FileSystemStore), *((word, CachedStore) for word in CACHED)],
)
def test_a_setting_opens_its_store(tmp_path: Path, word: str, kind: type) -> None:
    """Each keeps and gives."""
    with closing(open_store(Settings(state_dir=tmp_path, store=word))) as store:
        assert isinstance(store, kind)
        store.put(*made(1))
        assert [content(store, id_of(1)) for _ in range(2)] == [content_of(1)] * 2


@pytest.mark.parametrize(
    ("word", "place"),
    [
        ("memory", "memory"),
        ("redis", "redis at there:7000/2"),
        ("postgresql", "postgresql at there:5433/lab"),
        ("huggingface", "huggingface at lab/sets"),
        ("cached:memory:kaggle", "kaggle at lab/more behind a cache in memory"),
    ],
)
def test_settings_tell_where_datasets_are(word: str, place: str) -> None:
    """Without who asks there, and what else stands in an address."""
    settings = Settings(
        store=word,
        redis_url="rediss://me@there:7000/2?ssl_ca_certs=/etc/ssl/lab.pem",
        postgresql_url="postgresql://me@there:5433/lab?sslmode=verify-full",
        huggingface_repo="lab/sets",
        kaggle_dataset="lab/more",
    )
    assert settings.store_place == place


@pytest.fixture
def redis_url() -> str:
    """An empty database of a server."""
    if reason := redis_server.why_not():
        pytest.skip(reason)
    url = redis_server.shared_server().url.replace("/0", "/1")
    with redis.Redis.from_url(url) as client:
        client.flushdb()
    return url


@pytest.mark.parametrize("word", ["redis", "cached:redis:redis", "cached:memory:redis", "cached:redis:file_system"])
def test_datasets_may_be_in_redis(tmp_path: Path, redis_url: str, word: str) -> None:
    """Where the address says; copies and what they are copies of do not meet."""
    with closing(open_store(Settings(state_dir=tmp_path, store=word, redis_url=redis_url, cache_bytes=4096))) as store:
        for number in (1, 2):
            store.put(*made(number))
            assert [content(store, id_of(number)) for _ in range(2)] == [content_of(number)] * 2
        assert store.ids(10, 0) == [id_of(1), id_of(2)]


def test_a_missing_extra_is_told_of_with_what_brings_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one line."""
    for module in ("redis_store", "redis_server"):
        monkeypatch.delitem(sys.modules, f"juniper_data.stores.{module}", raising=False)
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(StoreError, match=r"^the store redis needs .*: juniper-ctl install --extra redis$"):
        open_store(Settings(state_dir=tmp_path, store="redis"))


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        (
            "redis://:hidden@host:6379/0",
            "which belongs into the credential juniper_data_redis_password",
        ),
        ("redis://host/0?password=hidden", "has more behind HOST:PORT than"),
        ("redis://host/0?socket_timeout=900", "has more behind HOST:PORT than"),
        ("redis://host/juniper", "has more behind HOST:PORT than"),
        ("unix:///run/redis.sock", "is no address like"),
        ("host:6379", "is no address like"),
        ("redis://", "is no address like"),
    ],
)
def test_an_address_of_redis_that_is_none_is_refused(url: str, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A password in it is not repeated."""
    monkeypatch.setenv("JUNIPER_DATA_REDIS_URL", url)
    settings, problems = Settings.read()
    assert settings is None
    (problem,) = map(str, problems)
    assert reason in problem
    assert "hidden" not in problem


def test_datasets_are_on_the_disk_where_nothing_is_set(tmp_path: Path) -> None:
    """In the state folder."""
    with closing(open_store(Settings(state_dir=tmp_path))) as store:
        store.put(*made(1))
    assert len(artifact_files(tmp_path)) == 1


@pytest.mark.parametrize("word", ["memory", "file_system", *CACHED])
def test_the_quota_is_of_the_store_that_holds_the_datasets(tmp_path: Path, word: str) -> None:
    """It is refused and told in whatever way they are stored."""
    settings = Settings(state_dir=tmp_path, store=word, max_datasets=1, max_bytes=1000, cache_bytes=5)
    with closing(open_store(settings)) as store:
        store.put(*made(1))
        with pytest.raises(QuotaExceededError):
            store.put(*made(2))
        stats = store.stats(NOON)
    assert (stats.max_datasets, stats.max_bytes) == (1, 1000)


@pytest.mark.parametrize(("cache_bytes", "copies"), [(4095, 0), (4096, 1), (9000, 2)])
def test_the_cache_holds_as_much_as_is_set(tmp_path: Path, cache_bytes: int, copies: int) -> None:
    """In a folder of its own; a copy takes a block of the disk at least."""
    settings = Settings(state_dir=tmp_path, store="cached:file_system:file_system", cache_bytes=cache_bytes)
    with closing(open_store(settings)) as store:
        for number in (1, 2, 3):
            store.put(*made(number))
            content(store, id_of(number))
    assert (len(artifact_files(tmp_path)), len(artifact_files(tmp_path / "cache"))) == (3, copies)


def test_a_cache_that_cannot_be_opened_is_gone_without(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The log tells which folder to remove."""
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "index.sqlite").write_bytes(b"no database" * 1000)
    with closing(open_store(Settings(state_dir=tmp_path, store="cached:file_system:file_system"))) as store:
        store.put(*made(1))
        assert content(store, id_of(1)) == content_of(1)
    assert f"without the cache, which may be removed: {tmp_path}/cache" in caplog.text


@pytest.mark.parametrize(
    "word",
    ["", "disk", "cached", "cached:memory", "cached:memory:", "cached:memory:memory:memory", "cached:disk:memory",
     "memory:file_system", "Memory", "cached:memory:cached:memory:memory"],
)  # fmt: skip
def test_a_word_that_is_no_store_is_refused(tmp_path: Path, word: str) -> None:
    """It is told which there are."""
    with pytest.raises(ValidationError, match=f"no store '{word}'; it is one of file_system, memory, .*or cached:"):
        Settings(state_dir=tmp_path, store=word)


HUBS = {"huggingface": "huggingface_repo", "kaggle": "kaggle_dataset"}


@pytest.mark.parametrize("hub", HUBS)
@pytest.mark.parametrize("word", ["{}", "cached:file_system:{}"])
def test_a_setting_opens_its_hub(tmp_path: Path, hub: str, word: str) -> None:
    """With the repository, the address and the key that are set; the last may end with a line break."""
    kind = KINDS[hub]
    with kind.server().serving() as server:
        key = "huggingface_token" if hub == "huggingface" else "kaggle_key"
        told = {HUBS[hub]: "lab/sets", f"{hub}_endpoint": server.url, key: f"{kind.key}\n"}
        settings = Settings.model_validate({"state_dir": tmp_path, "store": word.format(hub), **told})
        with closing(open_store(settings)) as store:
            store.put(*made(1))
            assert [content(store, id_of(1)) for _ in range(2)] == [content_of(1)] * 2
        assert len(artifact_files(tmp_path / "cache")) == word.count("cached")


@pytest.mark.parametrize("hub", HUBS)
def test_a_hub_needs_its_repository(tmp_path: Path, hub: str) -> None:
    """It is told which setting says it."""
    with pytest.raises(ValidationError, match=f"needs JUNIPER_DATA_{HUBS[hub].upper()}=OWNER/NAME"):
        Settings(state_dir=tmp_path, store=hub)


@pytest.mark.parametrize("hub", HUBS)
@pytest.mark.parametrize(
    "repository", ["sets", "lab/", "/sets", "../sets", "lab/sets/more", "lab/sets?x", "lab/sets\n"]
)
def test_a_repository_has_an_owner_and_a_name(tmp_path: Path, hub: str, repository: str) -> None:
    """And nothing that an address would take for something else."""
    with pytest.raises(ValidationError, match=HUBS[hub]):
        Settings.model_validate({"state_dir": tmp_path, HUBS[hub]: repository})


@pytest.mark.parametrize("hub", HUBS)
@pytest.mark.parametrize("endpoint", ["http://hub.example", "ftp://127.0.0.1", "", "hub.example"])
def test_a_key_goes_over_tls_alone(tmp_path: Path, hub: str, endpoint: str) -> None:
    """But to this host."""
    with pytest.raises(ValidationError, match="must begin with https://"):
        Settings.model_validate({"state_dir": tmp_path, f"{hub}_endpoint": endpoint})


@pytest.mark.parametrize("hub", HUBS)
def test_a_hub_is_no_cache(tmp_path: Path, hub: str) -> None:
    """A cache removes what it has no room for."""
    with pytest.raises(ValidationError, match=f"{hub} is no cache"):
        Settings.model_validate({"state_dir": tmp_path, "store": f"cached:{hub}:memory", HUBS[hub]: "lab/sets"})


@pytest.mark.parametrize(("hub", "library"), [("huggingface", "huggingface_hub"), ("kaggle", "kagglesdk")])
def test_a_hub_without_its_extra_says_what_to_type(
    tmp_path: Path, hub: str, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one line."""
    for name in [name for name in sys.modules if name.split(".")[0] == library]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, library, None)
    for name in ("huggingface", "kaggle", "kaggle_client"):
        monkeypatch.delitem(sys.modules, f"juniper_data.stores.{name}", raising=False)
    settings = Settings.model_validate({"state_dir": tmp_path, "store": hub, HUBS[hub]: "lab/sets"})
    with pytest.raises(StoreError, match=rf"^the store {hub} needs its extra \(.*\): juniper-ctl install --extra hub$"):
        open_store(settings)


@pytest.mark.parametrize("hub", HUBS)
def test_a_hub_that_is_away_is_told_of_when_it_is_opened(tmp_path: Path, hub: str) -> None:
    """As what may be over soon."""
    told = {HUBS[hub]: "lab/sets", f"{hub}_endpoint": "http://127.0.0.1:9"}
    with pytest.raises(StoreAwayError, match="cannot be reached"):
        open_store(Settings.model_validate({"state_dir": tmp_path, "store": hub, **told}))


@pytest.mark.parametrize("hub", HUBS)
def test_a_key_that_is_wrong_is_told_of_when_the_hub_is_opened(tmp_path: Path, hub: str) -> None:
    """As what is not over soon."""
    with KINDS[hub].server().serving() as server:
        told = {HUBS[hub]: "lab/sets", f"{hub}_endpoint": server.url}
        with pytest.raises(StoreError, match="does not know the key") as refused:
            open_store(Settings.model_validate({"state_dir": tmp_path, "store": hub, **told}))
    assert not isinstance(refused.value, StoreAwayError)


def test_a_store_on_a_hub_keeps_no_file_of_its_own(tmp_path: Path) -> None:
    """What is on its way has no name: a kill leaves nothing in the state folder."""
    kind = KINDS["huggingface"]
    with kind.server().serving() as server:
        settings = Settings(
            state_dir=tmp_path,
            store="huggingface",
            huggingface_repo="lab/sets",
            huggingface_endpoint=server.url,
            huggingface_token=SecretStr(kind.key),
        )
        with closing(open_store(settings)) as store:
            assert isinstance(store, HubStore)
            store.put(*made(1))
            with store.open_artifact(id_of(1)).file:
                assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("word", ["postgresql", "cached:memory:postgresql", "cached:file_system:postgresql"])
@pytest.mark.parametrize("artifacts", ["disk", "database"])
def test_a_setting_opens_a_store_in_postgresql(tmp_path: Path, word: str, artifacts: str) -> None:
    """With its artifacts in the state folder, or with none there."""
    settings = Settings.model_validate(
        {"state_dir": tmp_path, "store": word, "max_datasets": 1, "postgresql_url": shared_server().empty()}
        | {"postgresql_artifacts": artifacts}
    )
    with closing(open_store(settings)) as store:
        store.put(*made(1))
        assert [content(store, id_of(1)) for _ in range(2)] == [content_of(1)] * 2
        with pytest.raises(QuotaExceededError):
            store.put(*made(2))
    assert len(list(tmp_path.glob("postgresql/*/*/*.npz"))) == (artifacts == "disk")


def test_a_missing_extra_is_one_line_with_its_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the store is made of is looked for only where it is set."""
    monkeypatch.setitem(sys.modules, "psycopg", None)
    for name in [name for name in sys.modules if name.startswith("juniper_data.stores.postgresql")]:
        monkeypatch.delitem(sys.modules, name)
    open_store(Settings(state_dir=tmp_path)).close()
    with pytest.raises(StoreError, match=r"^the store postgresql needs .*: juniper-ctl install --extra postgres$"):
        open_store(Settings(state_dir=tmp_path, store="postgresql"))


@pytest.mark.parametrize("url", ["postgresql://me:secret@host/base", "postgresql://me@host/base?password=secret"])
def test_a_password_in_an_address_is_refused(tmp_path: Path, url: str) -> None:
    """And not shown; it is told where it belongs."""
    with pytest.raises(
        ValidationError, match="belongs into the credential juniper_data_postgresql_password"
    ) as refused:
        Settings(state_dir=tmp_path, postgresql_url=url)
    assert "secret" not in refused.value.errors(include_input=False)[0]["msg"]


def test_the_password_of_a_key_in_an_address_is_refused(tmp_path: Path) -> None:
    """And not shown either."""
    with pytest.raises(ValidationError, match="has the password of a key, sslpassword") as refused:
        Settings(state_dir=tmp_path, postgresql_url="postgresql://me@host/base?sslkey=/etc/key&sslpassword=secret")
    assert "secret" not in refused.value.errors(include_input=False)[0]["msg"]


@pytest.mark.parametrize("url", ["", "base", "mysql://me@host/base", "postgresql://host/base", "postgresql://me@host/"])
def test_what_is_no_address_of_a_database_is_refused(tmp_path: Path, url: str) -> None:
    """It is told how one looks."""
    with pytest.raises(ValidationError, match="is no address like postgresql://USER@HOST:PORT/DATABASE"):
        Settings(state_dir=tmp_path, postgresql_url=url)


def test_postgresql_is_no_cache(tmp_path: Path) -> None:
    """Its database would be the one that it is to spare."""
    with pytest.raises(ValidationError, match="postgresql is no cache"):
        Settings(state_dir=tmp_path, store="cached:postgresql:file_system")
