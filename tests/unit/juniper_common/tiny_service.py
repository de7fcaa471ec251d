"""A service as small as can be, run as a process by test_server.py; TINY_FAULT makes it behave in one other way."""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pydantic_settings import SettingsConfigDict
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from juniper_common import server
from juniper_common.notify import Notifier
from juniper_common.settings import ListenSettings

FAULT = os.environ.get("TINY_FAULT")
NOTIFIER = Notifier()

LOOKS = """
import os
print(*(name for name in os.environ if name.startswith("LISTEN_")), os.path.exists("/proc/self/fd/3"))
"""


class TinySettings(ListenSettings):
    """Where to listen."""

    model_config = SettingsConfigDict(env_prefix="JUNIPER_TINY_")

    port: int = 0


def tell(text: str) -> None:
    """Send the manager a line between those that the server sends, for their order."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.sendto(text.encode(), os.environ["NOTIFY_SOCKET"])


@asynccontextmanager
async def lifespan(_: Starlette) -> AsyncIterator[None]:
    """Say when the app starts and ends."""
    if FAULT == "start":
        raise RuntimeError("the app cannot start")
    tell("X_APP=starting")
    if FAULT == "slow start":
        await asyncio.Event().wait()
    if FAULT == "parent":
        tell("X_CHILD=" + subprocess.check_output([sys.executable, "-c", LOOKS], close_fds=False, text=True).strip())
    if FAULT == "speaks":
        NOTIFIER.extend_timeout(5)
        NOTIFIER.status("restored 2 runs")
    yield
    tell("X_APP=ended")


async def hello(_: Request) -> Response:
    """Answer."""
    return PlainTextResponse("hello")


def main() -> None:
    """Serve."""
    settings = TinySettings.load()
    if FAULT == "patient":
        server.LAST_CALLERS_S = 2.0

    async def self_check() -> None:
        if FAULT == "self-check":
            raise RuntimeError("the store is away")
        if settings.port:
            _, writer = await asyncio.open_connection(*settings.bind)
            writer.close()
        tell("X_SELF_CHECK=1")

    app = Starlette(routes=[Route("/", hello)], lifespan=lifespan)
    server.serve(
        app,
        settings,
        self_check=self_check,
        checks=[lambda: "ill" if FAULT == "ill" else None],
        notifier=NOTIFIER if FAULT == "speaks" else None,
    )
    NOTIFIER.close()


if __name__ == "__main__":
    main()
