"""`juniper-canopy` serves the dashboard until it is told to stop; `juniper-canopy settings` tells the settings."""

import argparse
import contextlib
import gc
import logging
import os
import sys
from collections.abc import Sequence

from juniper_canopy import older_names
from juniper_canopy.settings import CanopySettings
from juniper_common import logs
from juniper_common.command_line import Parser, add_settings

log = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None) -> None:
    """Do what the command line says; it says to serve where it says nothing. Ends the process where that failed."""
    options = _parser().parse_args(arguments)
    os.environ.update(older_names.renamed(os.environ))
    if code := options.run(options):
        sys.exit(code)


def serve(_: argparse.Namespace) -> None:
    """Read the settings, connect, serve."""
    settings = CanopySettings.load()
    logs.configure(settings.log_level, "juniper-canopy", settings.secrets)
    for name, instead in older_names.used(os.environ).items():
        log.warning("%s is deprecated: set %s instead", name, instead)
    # NiceGUI reads this when it is imported, so the app is imported only now.
    os.environ["NICEGUI_STORAGE_PATH"] = str(settings.state_dir / "nicegui")
    from juniper_canopy.app import Dashboard
    from juniper_canopy.backend.create import create_backend
    from juniper_common import server
    from juniper_common.notify import Notifier

    backend = create_backend(settings)
    with contextlib.closing(Notifier()) as notifier:
        dashboard = Dashboard(settings, backend, notifier)
        app = dashboard.app()
        # What is loaded by now stays. Looking through it for cycles would take part of a second, again and again.
        gc.collect()
        gc.freeze()
        server.serve(app, settings, self_check=dashboard.self_check, checks=[dashboard.problem], notifier=notifier)


def _parser() -> Parser:
    parser = Parser(prog="juniper-canopy", description=__doc__, allow_abbrev=False)
    parser.set_defaults(run=serve)
    commands = parser.add_subparsers(metavar="COMMAND")
    commands.add_parser("serve", help="serve the dashboard (the default)").set_defaults(run=serve)
    add_settings(commands, CanopySettings, older_names.NAMES)
    return parser


if __name__ == "__main__":
    main()
