"""Stores on hubs of their own."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from juniper_data.stores.hub import Hub
from juniper_data.stores.hub_store import HubStore
from juniper_data.stores.huggingface import HuggingFaceHub
from juniper_data.stores.kaggle import KaggleHub
from juniper_data.stores.protocol import Quota
from tests.unit.juniper_data.stores.hub_servers import huggingface, kaggle
from tests.unit.juniper_data.stores.hub_servers.serving import HubServer


class ServedStore(HubStore):
    """A store on a hub that ends with it."""

    def __init__(self, server: HubServer, hub: Callable[[str], Hub], folder: Path, quota: Quota) -> None:
        with ExitStack() as opened:
            opened.enter_context(server.serving())
            super().__init__(hub(server.url), folder, quota)
            self._served = opened.pop_all()

    def close(self) -> None:
        """End both."""
        with self._served:
            super().close()


def on_hugging_face(folder: Path, quota: Quota) -> HubStore:
    """An empty store on the Hugging Face hub."""
    hub = lambda url: HuggingFaceHub(huggingface.REPO, url, huggingface.TOKEN)  # noqa: E731
    return ServedStore(huggingface.HuggingFaceServer(), hub, folder, quota)


def on_kaggle(folder: Path, quota: Quota) -> HubStore:
    """An empty store on Kaggle."""
    hub = lambda url: KaggleHub(kaggle.DATASET, url, kaggle.KEY, folder)  # noqa: E731
    return ServedStore(kaggle.KaggleServer(), hub, folder, quota)
