"""What the services' command lines have in common."""

import argparse
import sys
from collections.abc import Mapping
from typing import NoReturn, TypeVar

from juniper_common.known_settings import settings_command, settings_of_each
from juniper_common.settings import ServiceSettings

EXIT_USAGE = 64
"""sysexits.h EX_USAGE, as the other commands end with it."""

AnyParser = TypeVar("AnyParser", bound=argparse.ArgumentParser)


class Parser(argparse.ArgumentParser):
    """Ends the process with one line and 64 where nothing is meant by the arguments."""

    def error(self, message: str) -> NoReturn:
        """Say it."""
        print(f"{self.prog}: {message}; next: {self.prog} --help", file=sys.stderr)  # noqa: T201 - for the operator
        sys.exit(EXIT_USAGE)


def add_settings(
    commands: "argparse._SubParsersAction[AnyParser]",
    model: type[ServiceSettings],
    older_names: Mapping[str, str] | None = None,
) -> None:
    """Add the command `settings`, whose `run` returns the exit code.

    Args:
        commands: the program's.
        model: the service's settings.
        older_names: the name of today for each older one.
    """
    tells = "print every setting, its value here and what is wrong with it"
    command = commands.add_parser("settings", help=tells, allow_abbrev=False)
    how = command.add_mutually_exclusive_group()
    how.add_argument("--json", action="store_true", help="the same for programs")
    how.add_argument("--each", action="store_true", help="of each environment in a JSON list on standard input")

    def run(options: argparse.Namespace) -> int:
        if options.each:
            return settings_of_each(model, older_names=older_names)
        return settings_command(model, as_json=options.json, older_names=older_names)

    command.set_defaults(run=run)
