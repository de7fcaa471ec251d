"""`juniper-canopy`: serves the dashboard until it is told to stop."""

import contextlib
import gc
import logging
import os

from juniper_canopy import older_names
from juniper_canopy.settings import CanopySettings
from juniper_common import logs

log = logging.getLogger(__name__)


def main() -> None:
    """Read the settings, connect, serve."""
    older = older_names.used(os.environ)
    os.environ.update(older_names.renamed(os.environ))
    settings = CanopySettings.load()
    logs.configure(settings.log_level, "juniper-canopy", settings.secrets)
    for name, instead in older.items():
        log.warning("%s is deprecated: set %s instead", name, instead)
    # NiceGUI reads this when it is imported, so the app is imported only now.
    os.environ["NICEGUI_STORAGE_PATH"] = str(settings.state_dir / "nicegui")
    from juniper_canopy.app import Dashboard
    from juniper_canopy.backend.create import create_backend
    from juniper_common.notify import Notifier
    from juniper_common.server import serve

    backend = create_backend(settings)
    with contextlib.closing(Notifier()) as notifier:
        dashboard = Dashboard(settings, backend, notifier)
        app = dashboard.app()
        # What is loaded by now stays. Looking through it for cycles would take part of a second, again and again.
        gc.collect()
        gc.freeze()
        serve(app, settings, self_check=dashboard.self_check, checks=[dashboard.problem], notifier=notifier)


if __name__ == "__main__":
    main()
