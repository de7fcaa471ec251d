"""`juniper-data`: serves datasets until it is told to stop."""

import contextlib
import sys

from anyio import to_thread

from juniper_common.notify import Notifier
from juniper_common.server import serve
from juniper_common.settings import EXIT_CONFIGURATION
from juniper_data.app import create_app
from juniper_data.catalog import Catalog
from juniper_data.errors import StoreError
from juniper_data.settings import Settings
from juniper_data.stores.file_system import FileSystemStore


def main() -> None:
    """Serve. Ends with 78 where the settings are wrong or the state folder cannot be used."""
    settings = Settings.load()
    try:
        catalog = Catalog(FileSystemStore(settings.state_dir))
    except StoreError as error:
        print(f"juniper-data: {error}; set JUNIPER_DATA_STATE_DIR", file=sys.stderr)  # noqa: T201 - for the operator
        sys.exit(EXIT_CONFIGURATION)

    async def self_check() -> None:
        await to_thread.run_sync(catalog.check)

    with contextlib.closing(Notifier()) as notifier:
        serve(create_app(settings, catalog, notifier), settings, self_check=self_check, notifier=notifier)


if __name__ == "__main__":
    main()
