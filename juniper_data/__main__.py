"""`juniper-data` serves datasets until it is told to stop; its other commands sweep or check the store."""

import argparse
import contextlib
import logging
import sys
from collections.abc import Iterator, Sequence
from typing import NoReturn

from juniper_common import logs, sqlite_file
from juniper_common.command_line import Parser, add_settings
from juniper_common.settings import EXIT_CONFIGURATION
from juniper_common.sqlite_file import alone_in
from juniper_data.catalog import Catalog
from juniper_data.errors import DatasetNotFoundError, StoreAwayError, StoreError, StoreFullError
from juniper_data.settings import Settings
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
        catalog = Catalog(store, Importer(settings.import_folder, settings.import_timeout_s, settings.state_dir))

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
    _say(f"{len(ids)} dataset{'' if len(ids) == 1 else 's'}, each whole")


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
    add_settings(commands, Settings)
    return parser


if __name__ == "__main__":
    main()
