"""The command line. Only the command that is called is imported, so that `status` starts fast."""

import argparse
import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import NoReturn

from juniper_ctl import scope
from juniper_ctl.errors import ControlError, Exit
from juniper_ctl.progress import program_as_typed

COMMANDS: Mapping[str, str] = {
    "demo": "everything from nothing: set up, start, train, and where to look",
    "start": "start services and wait until they are ready",
    "stop": "stop services and wait until they have ended",
    "restart": "restart services and wait until they are ready",
    "status": "what runs, one line per service",
    "logs": "what the services wrote",
    "doctor": "what this host lacks for the services, and what to type about it",
    "backup": "back up what the services keep, while they run; list and verify backups",
    "restore": "put a backup in the place of what the services keep, or see whether that would do",
    "retention": "remove the backups that need not stay",
    "install": "install a release and the systemd units",
    "uninstall": "stop and remove the services; settings and data stay",
    "bundle": "make a folder from which hosts without a registry install",
    "version": "what this program belongs to",
}
"""Each is a module of `juniper_ctl.commands`; in the order of the help."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code. An error is a line or two for a person, never a traceback."""
    program = program_as_typed()
    words = sys.argv[1:] if arguments is None else list(arguments)
    try:
        options = _parser(program, words).parse_args(words)
        scope.choose("system" if options.system else "user")
        return int(_module(options.command).run(options))
    except ControlError as error:
        return _failed(program, error)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read our output has seen enough; nothing more must be flushed into the closed pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.OK
    except PermissionError as error:
        return _failed(program, ControlError(str(error), next_command=_look_at(error), code=Exit.PERMISSION))
    except OSError as error:
        return _failed(program, ControlError(str(error), next_command=_look_at(error)))


def _failed(program: str, error: ControlError) -> int:
    next_command = error.next_command.replace("juniper-ctl", program, 1)
    print(f"juniper-ctl: {error.message}\n  next: {next_command}", file=sys.stderr)
    return error.code


def _look_at(error: OSError) -> str:
    return f"ls -ld {error.filename}" if error.filename else "juniper-ctl status"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ControlError(message, next_command=f"juniper-ctl{self._command()} --help", code=Exit.USAGE)

    def _command(self) -> str:
        return "".join(f" {word}" for word in self.prog.split()[1:])


def _parser(program: str, words: Sequence[str]) -> argparse.ArgumentParser:
    """The parser of these words: the arguments of the command that they name, and of no other."""
    parser = _Parser(prog=program, description="Runs Juniper's three services on this host.", allow_abbrev=False)
    parser.add_argument(
        "--system", action="store_true", help="the services of the whole host, in place of this user's (as root)"
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    called = next((word for word in words if not word.startswith("-")), "")
    for name, tells in COMMANDS.items():
        command = commands.add_parser(name, help=tells, description=f"{tells[0].upper()}{tells[1:]}.")
        if name == called:
            _module(name).add_arguments(command)
    return parser


def _module(command: str) -> ModuleType:
    return importlib.import_module(f"juniper_ctl.commands.{command}")
