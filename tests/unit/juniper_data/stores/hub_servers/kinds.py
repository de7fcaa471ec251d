"""The two hubs, as tests need them that hold for both: how they are spoken to, and what they have and do."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from juniper_data.stores.hub import Hub
from juniper_data.stores.huggingface import HuggingFaceHub
from juniper_data.stores.kaggle import KaggleHub
from tests.unit.juniper_data.stores.hub_servers.huggingface import REPO, TOKEN, HuggingFaceServer
from tests.unit.juniper_data.stores.hub_servers.kaggle import DATASET, KEY, KaggleServer

Server = HuggingFaceServer | KaggleServer


@dataclass(frozen=True)
class Kind:
    """One of them."""

    server: Callable[[], Server]
    hub: Callable[[str, str | None, Path], Hub]
    key: str
    head: str
    """What is in the method and path of the question for the last revision."""
    commit: str
    """The same of the request that makes one."""
    download: str
    """The same of the question for a file."""


KINDS = {
    "huggingface": Kind(
        HuggingFaceServer,
        lambda url, key, _: HuggingFaceHub(REPO, url, key),
        TOKEN,
        "GET /api/datasets/lab/sets/revision",
        "POST /api/datasets/lab/sets/commit",
        "/resolve/",
    ),
    "kaggle": Kind(
        KaggleServer,
        lambda url, key, folder: KaggleHub(DATASET, url, key, folder, pause=lambda _: None),
        KEY,
        "/GetDataset",
        "/CreateDataset",
        "/DownloadDataset",
    ),
}


def files_of(server: Server) -> Mapping[str, bytes]:
    """What the last revision has."""
    return (server.repositories[REPO] if isinstance(server, HuggingFaceServer) else server.datasets[DATASET]).files


def is_private(server: Server) -> bool:
    """Whether others may not read it."""
    made = server.repositories[REPO] if isinstance(server, HuggingFaceServer) else server.datasets[DATASET]
    return made.is_private


def replace(server: Server, files: Mapping[str, bytes | None]) -> None:
    """Make a revision in which files have another content; None: they are gone."""
    changed = {**files_of(server), **files}
    left = {name: content for name, content in changed.items() if content is not None}
    if isinstance(server, HuggingFaceServer):
        server.repositories[REPO].add(left)
    else:
        server.datasets[DATASET].versions.append(left)
