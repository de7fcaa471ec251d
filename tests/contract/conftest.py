import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn

from juniper_data.app import create_app
from juniper_data.catalog import Catalog
from juniper_data.settings import Settings
from juniper_data.stores.file_system import FileSystemStore


@pytest.fixture(scope="module")
def data_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The real dataset service on a free port; its address."""
    root = tmp_path_factory.mktemp("data")
    yield from _serve(root)


def _serve(root: Path) -> Iterator[str]:
    app = create_app(Settings(state_dir=root), Catalog(FileSystemStore(root)))
    started = threading.Event()

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            started.set()

    server = Server(uvicorn.Config(app, port=0, log_config=None, ws="websockets-sansio"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    assert started.wait(30)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(30)
