"""From the settings to the store that they ask for."""

import logging
from pathlib import Path

from juniper_data.errors import StoreError
from juniper_data.settings import BackEnd, Settings
from juniper_data.stores.cached import CachedStore
from juniper_data.stores.file_system import FileSystemStore
from juniper_data.stores.memory import MemoryStore
from juniper_data.stores.protocol import DatasetStore, Quota

CACHE = "cache"

log = logging.getLogger(__name__)


def open_store(settings: Settings) -> DatasetStore:
    """The store of `settings.store`. Whoever opens it closes it.

    A cache that cannot be opened is told of, and gone without.

    Raises:
        StoreError: it cannot be opened.
    """
    *fast, slow = settings.back_ends
    store = _opened(slow, settings.state_dir, settings.quota)
    if not fast:
        return store
    try:
        cache = _opened(fast[0], settings.state_dir / CACHE, Quota(max_bytes=settings.cache_bytes))
    except StoreError as error:
        log.warning("datasets are served without the cache, which may be removed: %s", error)
        return store
    return CachedStore(cache, store)


def _opened(back_end: BackEnd, root: Path, quota: Quota) -> DatasetStore:
    match back_end:
        case "file_system":
            return FileSystemStore(root, quota)
        case "memory":
            return MemoryStore(quota)
