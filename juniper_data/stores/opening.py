"""From the settings to the store that they ask for."""

import logging
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Literal

from pydantic import SecretStr

from juniper_data.errors import StoreError
from juniper_data.settings import BackEnd, Settings
from juniper_data.stores.cached import CachedStore
from juniper_data.stores.file_system import FileSystemStore
from juniper_data.stores.hub import Hub
from juniper_data.stores.hub_store import HubStore
from juniper_data.stores.memory import MemoryStore
from juniper_data.stores.protocol import DatasetStore, Quota

COPY_BYTES = 4096
"""A block of the disk, which the smallest copy takes: a cache has no more copies than its bytes have of these."""

CACHE = "cache"
HUB = "hub"

HubName = Literal["huggingface", "kaggle"]
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
        quota = Quota(max_datasets=settings.cache_bytes // COPY_BYTES, max_bytes=settings.cache_bytes)
        cache = _opened(fast[0], settings, quota, is_cache=True)
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
        case "redis":
            return _redis_store(settings, quota, is_cache=is_cache)
        case "huggingface" | "kaggle":
            return _hub_store(back_end, settings, quota)
        case "postgresql":
            return _postgresql_store(settings, quota)


def _redis_store(settings: Settings, quota: Quota, *, is_cache: bool) -> DatasetStore:
    try:
        from juniper_data.stores.redis_server import Patience
        from juniper_data.stores.redis_store import PREFIX, RedisStore
    except ImportError as error:
        raise StoreError(f"the store redis needs its extra ({error}): juniper-ctl install --extra redis") from error
    return RedisStore(
        settings.redis_url,
        _key(settings.redis_password),
        quota,
        prefix=f"{PREFIX}{CACHE}:" if is_cache else PREFIX,
        patience=Patience(opening_s=0) if is_cache else Patience(),
    )


def _hub_store(back_end: HubName, settings: Settings, quota: Quota) -> DatasetStore:
    folder = settings.state_dir / HUB
    with ExitStack() as opened:
        store = opened.enter_context(closing(HubStore(_hub(back_end, settings, folder), folder, quota)))
        # A wrong key is told of now.
        store.check()
        opened.pop_all()
    return store


def _hub(back_end: HubName, settings: Settings, folder: Path) -> Hub:
    try:
        if back_end == "huggingface":
            from juniper_data.stores.huggingface import HuggingFaceHub

            token = _key(settings.huggingface_token)
            return HuggingFaceHub(settings.huggingface_repo, settings.huggingface_endpoint, token)
        from juniper_data.stores.kaggle import KaggleHub
    except ImportError as error:
        raise StoreError(f"the store {back_end} needs its extra ({error}): juniper-ctl install --extra hub") from error
    return KaggleHub(settings.kaggle_dataset, settings.kaggle_endpoint, _key(settings.kaggle_key), folder)


def _key(secret: SecretStr | None) -> str | None:
    """None where the credential's file is empty too."""
    return (secret.get_secret_value().strip() or None) if secret is not None else None


def _postgresql_store(settings: Settings, quota: Quota) -> DatasetStore:
    try:
        from juniper_data.stores.postgresql import PostgresqlStore
    except ImportError as error:
        raise StoreError(
            f"the store postgresql needs its extra ({error}): juniper-ctl install --extra postgres"
        ) from error
    return PostgresqlStore(
        settings.postgresql_url,
        settings.state_dir / POSTGRESQL,
        quota,
        artifacts=settings.postgresql_artifacts,
        password=_key(settings.postgresql_password) or "",
        opening_patience_s=OPENING_PATIENCE_S,
    )
