"""From the setting to the store."""

import sys
from contextlib import closing
from pathlib import Path

import pytest
from pydantic import ValidationError

from juniper_data.errors import QuotaExceededError, StoreError
from juniper_data.settings import Settings
from juniper_data.stores.cached import CachedStore
from juniper_data.stores.file_system import FileSystemStore
from juniper_data.stores.memory import MemoryStore
from juniper_data.stores.opening import open_store
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


@pytest.mark.parametrize(("cache_bytes", "copies"), [(15, 1), (25, 2)])
def test_the_cache_holds_as_much_as_is_set(tmp_path: Path, cache_bytes: int, copies: int) -> None:
    """In a folder of its own."""
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
    with pytest.raises(ValidationError, match=f"no store '{word}'; it is one of file_system, memory, postgresql, or"):
        Settings(state_dir=tmp_path, store=word)


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


@pytest.mark.parametrize("url", ["", "base", "mysql://me@host/base", "postgresql://host/base", "postgresql://me@host/"])
def test_what_is_no_address_of_a_database_is_refused(tmp_path: Path, url: str) -> None:
    """It is told how one looks."""
    with pytest.raises(ValidationError, match="is no address like postgresql://USER@HOST:PORT/DATABASE"):
        Settings(state_dir=tmp_path, postgresql_url=url)


def test_postgresql_is_no_cache(tmp_path: Path) -> None:
    """Its database would be the one that it is to spare."""
    with pytest.raises(ValidationError, match="postgresql is no cache"):
        Settings(state_dir=tmp_path, store="cached:postgresql:file_system")
