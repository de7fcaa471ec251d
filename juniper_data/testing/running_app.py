"""An app that runs in a thread of this process."""

import asyncio
import threading
from concurrent.futures import Future

import httpx
from starlette.applications import Starlette


class RunningApp:
    """An app on an event loop of its own thread, from its start to its end."""

    def __init__(self, app: Starlette) -> None:
        self._app = app
        # raise_app_exceptions: an error of the app is its answer, as behind a server.
        self._transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        self._started: Future[asyncio.AbstractEventLoop] = Future()
        self._thread = threading.Thread(target=asyncio.run, args=[self._live()], name="fake service", daemon=True)
        self._thread.start()
        self._loop = self._started.result()

    def send(self, request: httpx.Request) -> Future[httpx.Response]:
        """Let the app answer a request whose body was read; the answer's body is there too."""
        return asyncio.run_coroutine_threadsafe(self._answer(request), self._loop)

    def close(self) -> None:
        """Let the app end, and wait for it."""
        self._loop.call_soon_threadsafe(self._ending.set)
        self._thread.join()

    async def _live(self) -> None:
        self._ending = asyncio.Event()
        try:
            async with self._app.router.lifespan_context(self._app):
                self._started.set_result(asyncio.get_running_loop())
                await self._ending.wait()
        except BaseException as error:
            if self._started.done():
                raise
            self._started.set_exception(error)

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        whole = httpx.Request(request.method, request.url, headers=request.headers, content=request.content)
        response = await self._transport.handle_async_request(whole)
        await response.aread()
        return httpx.Response(response.status_code, headers=response.headers, stream=httpx.ByteStream(response.content))
