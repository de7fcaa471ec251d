"""The dataset service, in this process."""

import tempfile
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, closing
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx
from pydantic import SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from juniper_data.app import create_app
from juniper_data.catalog import Catalog, utc_now
from juniper_data.generators import AnyGenerator
from juniper_data.imports.importer import Importer
from juniper_data.settings import Settings
from juniper_data.stores.memory import MemoryStore
from juniper_data.testing.running_app import RunningApp


class FakeDataService:
    """The dataset service with its store in memory: no socket, and of the disk a temporary folder alone.

    It runs in a thread of its own. Use it as a context manager, or call `close`: then the folder is gone too.

    Args:
        now: the time of day at which its clock stands until `advance` is called; None: it goes as the host's does.
        max_datasets: more are refused (507).
        max_bytes: the same of all artifacts together.
        max_upload_bytes: a larger upload is refused (413).
        wait_s: what takes longer to make is answered with a job (202).
        api_keys: one of them must be shown; none: no key is asked for.
        generators: by their names; None: all there are.
    """

    def __init__(
        self,
        *,
        now: datetime | None = None,
        max_datasets: int | None = None,
        max_bytes: int | None = None,
        max_upload_bytes: int = 2_000_000_000,
        wait_s: float = 5.0,
        api_keys: Sequence[str] = (),
        generators: Mapping[str, AnyGenerator] | None = None,
    ) -> None:
        self.is_reachable = True
        self._clock = _Clock(now)
        self._lock = threading.Lock()
        self._failures: list[int] = []
        with ExitStack() as stack:
            settings = _Settings(
                state_dir=Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="juniper-data-fake-"))),
                max_datasets=max_datasets,
                max_bytes=max_bytes,
                max_upload_bytes=max_upload_bytes,
                wait_s=wait_s,
                allowed_hosts=("data.test",),  # where the fake clients find it
                api_keys=tuple(map(SecretStr, api_keys)),
            )
            self.import_folder = settings.import_folder
            """Where csv_import finds its files."""
            self.import_folder.mkdir()
            self._store = stack.enter_context(closing(_Store(settings.quota)))
            importer = Importer(self.import_folder, settings.import_timeout_s)
            catalog = Catalog(self._store, importer, generators=generators, clock=self._clock)
            self._app = stack.enter_context(closing(RunningApp(create_app(settings, catalog))))
            self._all = stack.pop_all()

    def fail_next(self, n: int = 1, status: int = 503) -> None:
        """Answer the next `n` requests with a status, and do nothing else of what they ask."""
        with self._lock:
            self._failures += [status] * n

    def advance(self, time: timedelta) -> None:
        """Let time pass."""
        self._clock.ahead += time

    def damage(self, dataset_id: str) -> None:
        """Change a byte of a stored artifact, as a bad disk does. Raises DatasetNotFoundError."""
        self._store.damage(dataset_id)

    def answer(self, request: httpx.Request) -> Future[httpx.Response]:
        """What becomes of a request whose body was read. Raises httpx.ConnectError where nobody answers."""
        if not self.is_reachable:
            raise httpx.ConnectError("the fake service is not reachable", request=request)
        with self._lock:
            status = self._failures.pop(0) if self._failures else None
        if status is None:
            return self._app.send(request)
        failed: Future[httpx.Response] = Future()
        failed.set_result(httpx.Response(status, json={"detail": "the fake service was told to fail"}))
        return failed

    def close(self) -> None:
        """End it; then it is not reachable. Once is enough."""
        self.is_reachable = False
        self._all.close()

    def __enter__(self) -> Self:
        """The service itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        self.close()


class _Settings(Settings):
    """What the environment says is for real services."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - pydantic-settings' signature
        init_settings: PydanticBaseSettingsSource,
        *_: PydanticBaseSettingsSource,
        **__: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What the test says alone."""
        return (init_settings,)


class _Clock:
    def __init__(self, now: datetime | None) -> None:
        self._now = now
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return (self._now or utc_now()) + self.ahead


class _Store(MemoryStore):
    def damage(self, dataset_id: str) -> None:
        location = self.locate(dataset_id).location
        content = self._artifacts[location]
        self._artifacts[location] = bytes([content[0] ^ 1]) + content[1:]
