"""From the settings to the store that they ask for."""

import logging

from juniper_data.errors import StoreError
from juniper_data.settings import BackEnd, Settings
from juniper_data.stores.cached import CachedStore
from juniper_data.stores.file_system import FileSystemStore
from juniper_data.stores.memory import MemoryStore
from juniper_data.stores.protocol import DatasetStore, Quota

CACHE = "cache"
POSTGRESQL = "postgresql"

OPENING_PATIENCE_S = 60.0
"""So long a server is waited for, which may start as the host does: less often than systemd gives a service up."""

log = logging.getLogger(__name__)


def open_store(settings: Settings) -> DatasetStore:
    """The store of `settings.store`. Whoever opens it closes it.

    A cache that cannot be opened is told of, and gone without.

    Raises:
        StoreError: it cannot be opened.
    """
    *fast, slow = settings.back_ends
    store = _opened(slow, settings, settings.quota)
    if not fast:
        return store
    try:
        cache = _opened(fast[0], settings, Quota(max_bytes=settings.cache_bytes), is_cache=True)
    except StoreError as error:
        log.warning("datasets are served without the cache, which may be removed: %s", error)
        return store
    return CachedStore(cache, store)


def _opened(back_end: BackEnd, settings: Settings, quota: Quota, *, is_cache: bool = False) -> DatasetStore:
    match back_end:
        case "file_system":
            return FileSystemStore(settings.state_dir / CACHE if is_cache else settings.state_dir, quota)
        case "memory":
            return MemoryStore(quota)
        case "postgresql":
            return _postgresql_store(settings, quota)


def _postgresql_store(settings: Settings, quota: Quota) -> DatasetStore:
    try:
        from juniper_data.stores.postgresql import PostgresqlStore
    except ImportError as error:
        raise StoreError(
            f"the store postgresql needs its extra ({error}): juniper-ctl install --extra postgres"
        ) from error
    password = settings.postgresql_password
    return PostgresqlStore(
        settings.postgresql_url,
        settings.state_dir / POSTGRESQL,
        quota,
        artifacts=settings.postgresql_artifacts,
        password=password.get_secret_value().strip() if password else "",
        opening_patience_s=OPENING_PATIENCE_S,
    )
