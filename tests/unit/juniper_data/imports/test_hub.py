"""Collections that a hub has: a small one here that speaks as the real one does."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from juniper_data.errors import HubError
from juniper_data.imports.arc_agi import ARC_AGI
from juniper_data.imports.collection import CollectionSource
from juniper_data.imports.hub import Hub
from juniper_data.imports.mnist import MNIST
from tests.unit.juniper_data.imports.collecting import Collecting
from tests.unit.juniper_data.imports.collection_files import (
    N_TEST,
    N_TRAIN,
    arc_parquet,
    images,
    mnist_split,
    write_idx,
)

MNIST_FILES = {
    f"/datasets/{repository}/resolve/main/{name}/{split}-00000-of-00001.parquet": mnist_split(n)
    for repository, name in (("ylecun/mnist", "mnist"), ("zalandoresearch/fashion_mnist", "fashion_mnist"))
    for split, n in (("train", N_TRAIN), ("test", N_TEST))
}
TRAIN = next(iter(MNIST_FILES))


@dataclass
class SmallHub:
    """Files by their paths; what it tells of one may be made wrong, always or from the second time on."""

    files: dict[str, bytes] = field(default_factory=dict)
    told: dict[str, str] = field(default_factory=dict)
    told_again: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    url: str = ""

    @contextmanager
    def running(self) -> Iterator["SmallHub"]:
        """On a free port."""
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                self._answer(has_body=False)

            def do_GET(self) -> None:
                self._answer(has_body=True)

            def _answer(self, *, has_body: bool) -> None:
                told = hub.told | (hub.told_again if (self.command, self.path) in hub.asked else {})
                hub.asked.append((self.command, self.path))
                content = hub.files.get(self.path)
                self.send_response(404 if content is None else 200)
                headers = {"Content-Length": "0"}
                if content is not None:
                    sha256 = hashlib.sha256(content).hexdigest()
                    headers = {"Content-Length": str(len(content)), "ETag": f'"{sha256}"', "X-Repo-Commit": "a" * 40}
                for name, value in (headers | (told if self.command == "HEAD" else {})).items():
                    self.send_header(name, value)
                self.end_headers()
                if has_body and content is not None:
                    self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                pass

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            self.url = f"http://127.0.0.1:{server.server_port}"
            serving = threading.Thread(target=server.serve_forever)
            serving.start()
            yield self
            server.shutdown()
            serving.join()


@pytest.fixture
def small_hub() -> Iterator[SmallHub]:
    """One that has MNIST."""
    with SmallHub(dict(MNIST_FILES)).running() as hub:
        yield hub


def collecting(source: CollectionSource[Any], folder: Path, hub: SmallHub) -> Collecting:
    """Collections from that hub."""
    return Collecting(source, folder, Hub(hub.url, folder / "cache", 60))


def test_images_come_from_the_hub_once(small_hub: SmallHub, tmp_path: Path) -> None:
    """What was fetched is in the cache: the same dataset again asks nothing of the hub."""
    mnist = collecting(MNIST, tmp_path, small_hub)
    assert mnist.importer.lacks(MNIST) is None
    assert not small_hub.asked
    facts, arrays = mnist.make(shuffle=False, normalize=False)
    np.testing.assert_array_equal(arrays["X_train"], images(N_TRAIN, N_TRAIN)[0].reshape(-1, 784))
    assert (facts.n_train, facts.n_test) == (N_TRAIN, N_TEST)
    small_hub.asked.clear()
    small_hub.files.clear()
    assert mnist.make(shuffle=False, normalize=False)[0] == facts
    assert not small_hub.asked


def test_id_is_known_before_anything_is_fetched(small_hub: SmallHub, tmp_path: Path) -> None:
    """The hub tells the checksums; they are those of the files."""
    mnist = collecting(MNIST, tmp_path, small_hub)
    found = mnist.importer.find(MNIST, MNIST.parameters(dataset="fashion_mnist"))
    assert {method for method, _ in small_hub.asked} == {"HEAD"}
    names = ("train-00000-of-00001.parquet", "test-00000-of-00001.parquet")
    lines = "".join(
        f"{hashlib.sha256(mnist_split(n)).hexdigest()}  {name}\n"
        for name, n in zip(names, (N_TRAIN, N_TEST), strict=True)
    )
    assert found.sha256 == hashlib.sha256(lines.encode()).hexdigest()


def test_files_of_the_import_folder_come_first(small_hub: SmallHub, tmp_path: Path) -> None:
    """The hub is not asked for what is there."""
    mnist = collecting(MNIST, tmp_path, small_hub)
    write_idx(mnist.folder / "mnist")
    assert mnist.make()[0].n_train == N_TRAIN
    assert not small_hub.asked


def test_tasks_come_from_the_hub(small_hub: SmallHub, tmp_path: Path) -> None:
    """Those of a subset, which have no ids there but their places."""
    small_hub.files["/datasets/lordspline/arc-agi/resolve/main/data/training-00000-of-00001.parquet"] = arc_parquet()
    _, arrays = collecting(ARC_AGI, tmp_path, small_hub).make(shuffle=False, pad_to=3, include_test=False)
    assert arrays["task_ids"].tolist() == [f"training_{i}" for i in range(1, 6) for _ in range(2)]
    assert arrays["X_full"][2].tolist() == [1, 1, -1, -1, -1, -1, -1, -1, -1]


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"X-Linked-Size": str(1 << 40)}, "has 1099511627776 bytes; 67108864 can be"),
        ({"X-Linked-Etag": '"abc"'}, "has no sha256 there"),
        ({"X-Linked-Etag": f'"{"0" * 64}"'}, "is not what its checksum says"),
    ],
)
def test_file_that_is_not_as_it_should_be_is_not_taken(
    small_hub: SmallHub, tmp_path: Path, told: dict[str, str], message: str
) -> None:
    """One that is too large is not even fetched, and a wrong one does not stay in the cache."""
    mnist = collecting(MNIST, tmp_path, small_hub)
    small_hub.told = told
    with pytest.raises(HubError, match=message):
        mnist.make()
    small_hub.told = {}
    assert mnist.make()[0].n_train == N_TRAIN


def test_hub_has_no_say_in_where_files_lie(small_hub: SmallHub, tmp_path: Path) -> None:
    """Nor in which are removed: not even one that tells another checksum when it is asked once more."""
    mine = tmp_path / "state" / "index.sqlite"
    mine.parent.mkdir()
    mine.write_text("datasets")
    small_hub.told_again = {"X-Linked-Etag": '"../../../state/index.sqlite"'}
    assert collecting(MNIST, tmp_path, small_hub).make()[0].n_train == N_TRAIN
    assert [(file.name, file.read_text()) for file in mine.parent.iterdir()] == [("index.sqlite", "datasets")]


def test_hub_that_sends_more_than_it_told_is_not_heard_to_its_end(small_hub: SmallHub, tmp_path: Path) -> None:
    """The limit is told, and nothing is kept."""
    hub = Hub(small_hub.url, tmp_path / "cache", 60)
    with pytest.raises(HubError, match="has more than 10 bytes"):
        hub.fetch("ylecun/mnist", ["mnist/train-00000-of-00001.parquet"], 10, ["0" * 64])
    assert not (tmp_path / "cache").exists()


def test_hub_that_does_not_answer_is_told(small_hub: SmallHub, tmp_path: Path) -> None:
    """With what was asked for, and why it did not come."""
    mnist = collecting(MNIST, tmp_path, small_hub)
    del small_hub.files[TRAIN]
    with pytest.raises(HubError, match=r"ylecun/mnist cannot be fetched from http://127.0.0.1.*404"):
        mnist.make()
    away = Collecting(MNIST, tmp_path / "import", Hub("http://127.0.0.1:9", tmp_path / "cache", 60))
    with pytest.raises(HubError, match="ConnectError"):
        away.make()


def test_hub_that_takes_too_long_is_given_up(small_hub: SmallHub, tmp_path: Path) -> None:
    """After as long as a file may take to be read."""
    mnist = Collecting(MNIST, tmp_path, Hub(small_hub.url, tmp_path / "cache", 0.01))
    with pytest.raises(HubError, match=r"longer than 0.01 s; JUNIPER_DATA_IMPORT_TIMEOUT_S"):
        mnist.make()
