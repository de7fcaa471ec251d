"""`juniper-data` serves datasets until it is told to stop; its other commands sweep, check or copy the store."""

import argparse
import contextlib
import logging
import sys
import time
from collections.abc import Iterator, Sequence
from typing import NoReturn

from juniper_common import logs, sqlite_file
from juniper_common.command_line import EXIT_USAGE, Parser, add_settings
from juniper_common.settings import EXIT_CONFIGURATION
from juniper_common.sqlite_file import alone_in
from juniper_data.catalog import Catalog, utc_now
from juniper_data.copying import Progress, copy_store
from juniper_data.errors import DatasetNotFoundError, StoreAwayError, StoreError, StoreFullError
from juniper_data.settings import Settings
from juniper_data.stores.hub_store import HubStore
from juniper_data.stores.opening import open_store
from juniper_data.stores.protocol import DatasetStore

PROGRAM = "juniper-data"
log = logging.getLogger(__name__)

_PAGE = 1000


def main(arguments: Sequence[str] | None = None) -> None:
    """Do what the command line says; it says to serve where it says nothing.

    Ends the process with 64 where nothing is meant by it, with 78 where the settings are wrong or the state folder
    cannot be used, with 1 where the command failed otherwise.
    """
    options = _parser().parse_args(arguments)
    if code := options.run(options):
        sys.exit(code)


def serve(_: argparse.Namespace) -> None:
    """Serve until the process is told to end."""
    # Only now: a sweep does without it.
    from anyio import to_thread

    from juniper_common import server
    from juniper_common.notify import Notifier
    from juniper_data.app import create_app
    from juniper_data.imports.hub import Hub
    from juniper_data.imports.importer import Importer

    settings = Settings.load()
    # Before the generators of other packages are looked for.
    logs.configure(settings.log_level, PROGRAM, settings.secrets)
    with (
        _alone(settings),
        contextlib.closing(_opened(settings)) as store,
        contextlib.closing(Notifier()) as notifier,
    ):
        _make_import_folder(settings)
        timeout_s = settings.import_timeout_s
        hub = Hub(settings.huggingface_endpoint, settings.cache_dir / "huggingface", timeout_s)
        importer = Importer(settings.import_folder, timeout_s, settings.state_dir, hub if Hub.is_installed() else None)
        catalog = Catalog(store, importer)

        async def self_check() -> None:
            try:
                await to_thread.run_sync(catalog.check)
            except StoreFullError as error:
                # What is there is served nevertheless, and only a service that runs lets it be deleted.
                log.error("%s", error)

        server.serve(create_app(settings, catalog, notifier), settings, self_check=self_check, notifier=notifier)


def sweep(_: argparse.Namespace) -> None:
    """Remove what has expired and what interrupted calls have left, whether the service runs or not."""
    settings = Settings.load()
    if settings.back_ends[-1] != "file_system":
        _say(f"nothing to sweep: the store {settings.store} is not on the disk, and the service sweeps it itself")
        return
    logs.configure(settings.log_level, f"{PROGRAM}-sweep", settings.secrets)
    with contextlib.closing(_opened(settings)) as store:
        catalog = Catalog(store)
        try:
            n_removed, n_left = len(catalog.delete_expired()), catalog.stats().total_datasets
        except StoreError as error:
            _end(f"{error}; see that the disk has room and can be written to, then: {PROGRAM} sweep", 1)
    datasets, are = "dataset" if n_removed == 1 else "datasets", "is" if n_left == 1 else "are"
    _say(f"removed {n_removed} expired {datasets}, {n_left} {are} left")


def check(_: argparse.Namespace) -> None:
    """Read every dataset of the store, as after a restore; 1 where one is damaged."""
    settings = Settings.load()
    if settings.back_ends[-1] == "memory":
        _say(f"nothing to check: the store {settings.store} keeps nothing on the disk")
        return
    logs.configure(settings.log_level, PROGRAM, settings.secrets)
    damaged = []
    with contextlib.closing(_opened(settings)) as store:
        ids: list[str] = []
        while page := store.ids(_PAGE, len(ids)):
            ids += page
        for dataset_id in ids:
            try:
                # Not found: it was deleted meanwhile.
                with contextlib.suppress(DatasetNotFoundError):
                    store.open_artifact(dataset_id).file.close()
            except StoreError as error:
                damaged.append(str(error))
    if damaged:
        _end("\n".join([*damaged, f"{len(damaged)} of {len(ids)} datasets cannot be read"]), 1)
    _say(f"{_datasets(len(ids))}, each whole")


def copy(options: argparse.Namespace) -> None:
    """Copy one store into another; the same again goes on with it.

    0: all is there. 1: not all; each that is not is a line, or the store that failed is. 64 where no two stores are
    meant, 78 where one of them cannot be opened as it is set.
    """
    settings = Settings.load()
    try:
        source, target = settings.holding(options.source or settings.store), settings.holding(options.to)
    except ValueError as error:
        _end(str(error), EXIT_USAGE)
    if source.store == target.store:
        _end(f"{target.store} is where the datasets come from: --to needs another store", EXIT_USAGE)
    if "memory" in (source.store, target.store):
        _end("the store memory ends with its process: there is nothing to copy", EXIT_USAGE)
    logs.configure(settings.log_level, PROGRAM, settings.secrets)
    try:
        with contextlib.closing(_opened(source)) as held, contextlib.closing(_opened(target)) as taking:
            if isinstance(held, HubStore) and not held.has_repository:
                _end(f"{source.store_place} has no repository, or none that is shown with the key", 1)
            done = copy_store(held, taking, utc_now(), _Teller())
    except StoreError as error:
        _end(f"{error}; what is copied stays, and the same command goes on", 1)
    except KeyboardInterrupt:
        _end("stopped; what is copied stays, and the same command goes on", 130)
    _say(
        f"{source.store} to {target.store}: {_datasets(done.copied)} copied ({done.copied_bytes:,} bytes), {done.there}"
        f" there already, {done.gone} deleted meanwhile, {done.came} made meanwhile; {done.names} names"
    )
    if done.lacking:
        _end("\n".join([*done.lacking, f"{len(done.lacking)} not copied"]), 1)


class _Teller:
    """Tells how far a copy is: each second on a terminal, less often in a log."""

    def __init__(self) -> None:
        self._every_s = 1 if sys.stderr.isatty() else 10
        self._told_at_s = time.monotonic()

    def __call__(self, progress: Progress) -> None:
        """After each dataset."""
        if time.monotonic() - self._told_at_s >= self._every_s:
            self._told_at_s = time.monotonic()
            copied = f"{progress.copied} copied ({progress.copied_bytes / 1e6:,.0f} MB)"
            print(f"{progress.done} of {_datasets(progress.total)}, {copied}", file=sys.stderr, flush=True)  # noqa: T201


@contextlib.contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """The jobs and the uploads in the state folder, for this service alone; a sweep leaves them be."""
    with contextlib.ExitStack() as held:
        try:
            settings.state_dir.mkdir(parents=True, exist_ok=True)
            held.enter_context(alone_in(settings.state_dir, "dataset service"))
        except (OSError, sqlite_file.StoreError) as error:
            _end(f"{error}; set JUNIPER_DATA_STATE_DIR to another", EXIT_CONFIGURATION)
        yield


def _opened(settings: Settings) -> DatasetStore:
    try:
        return open_store(settings)
    except StoreAwayError as error:
        _end(str(error), 1)  # Not 78: it may come back, and systemd tries again.
    except StoreError as error:
        hint = "restore the folder from a backup, or set JUNIPER_DATA_STATE_DIR to another"
        _end(f"{error}; {hint}" if settings.back_ends[-1] == "file_system" else str(error), EXIT_CONFIGURATION)


def _make_import_folder(settings: Settings) -> None:
    """Make it where it is the default one: another one is the operator's."""
    if settings.import_dir is None:
        try:
            settings.import_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            _end(f"cannot make the import folder: {error}; set JUNIPER_DATA_IMPORT_DIR to another", EXIT_CONFIGURATION)


def _datasets(n: int) -> str:
    return f"{n} dataset{'' if n == 1 else 's'}"


def _say(line: str) -> None:
    print(line)  # noqa: T201 - for the operator


def _end(line: str, code: int) -> NoReturn:
    print(f"{PROGRAM}: {line}", file=sys.stderr)  # noqa: T201 - for the operator
    sys.exit(code)


def _parser() -> Parser:
    parser = Parser(prog=PROGRAM, description=__doc__, allow_abbrev=False)
    parser.set_defaults(run=serve)
    commands = parser.add_subparsers(metavar="COMMAND")
    commands.add_parser("serve", help="serve datasets (the default)").set_defaults(run=serve)
    commands.add_parser("sweep", help="remove the expired ones").set_defaults(run=sweep)
    commands.add_parser("check", help="read all, and say which are damaged").set_defaults(run=check)
    copying = commands.add_parser("copy", help="copy one store into another, or go on with it", allow_abbrev=False)
    copying.add_argument("--to", metavar="STORE", required=True, help="as in JUNIPER_DATA_STORE; its settings are set")
    copying.add_argument("--from", metavar="STORE", dest="source", help="in place of the one that is set")
    copying.set_defaults(run=copy)
    add_settings(commands, Settings)
    return parser


if __name__ == "__main__":
    main()
