"""From the settings to the store that they ask for."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import SecretStr

from juniper_data.errors import MissingExtraError, StoreError
from juniper_data.settings import BackEnd, Settings
from juniper_data.stores.cached import CachedStore
from juniper_data.stores.file_system import FileSystemStore
from juniper_data.stores.hub_store import HubStore
from juniper_data.stores.memory import MemoryStore
from juniper_data.stores.protocol import DatasetStore, Quota

CACHE = "cache"
HUB = "hub"

log = logging.getLogger(__name__)


def open_store(settings: Settings) -> DatasetStore:
    """The store of `settings.store`. Whoever opens it closes it.

    A cache that cannot be opened is told of, and gone without.

    Raises:
        StoreError: it cannot be opened; MissingExtraError where an extra would help.
    """
    *fast, slow = settings.back_ends
    store = _opened(slow, settings, settings.state_dir, settings.quota)
    if not fast:
        return store
    try:
        cache = _opened(fast[0], settings, settings.state_dir / CACHE, Quota(max_bytes=settings.cache_bytes))
    except StoreError as error:
        log.warning("datasets are served without the cache, which may be removed: %s", error)
        return store
    return CachedStore(cache, store)


def _opened(back_end: BackEnd, settings: Settings, root: Path, quota: Quota) -> DatasetStore:
    match back_end:
        case "file_system":
            return FileSystemStore(root, quota)
        case "memory":
            return MemoryStore(quota)
        case "huggingface":
            with _extra(back_end, "hub"):
                from juniper_data.stores.huggingface import HuggingFaceHub
            token = _key(settings.huggingface_token)
            hugging_face = HuggingFaceHub(settings.huggingface_repo, settings.huggingface_endpoint, token)
            return HubStore(hugging_face, root / HUB, quota)
        case "kaggle":
            with _extra(back_end, "hub"):
                from juniper_data.stores.kaggle import KaggleHub
            key = _key(settings.kaggle_key)
            kaggle = KaggleHub(settings.kaggle_dataset, settings.kaggle_endpoint, key, root / HUB)
            return HubStore(kaggle, root / HUB, quota)


def _key(secret: SecretStr | None) -> str | None:
    """None where the credential's file is empty too."""
    return (secret.get_secret_value().strip() or None) if secret is not None else None


@contextmanager
def _extra(back_end: BackEnd, extra: str) -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        raise MissingExtraError(back_end, extra) from error
