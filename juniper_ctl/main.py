"""The command line. Only the command that is called is imported, so that `status` starts fast."""

import argparse
import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from types import ModuleType

from juniper_ctl import scope
from juniper_ctl.command_line import Parser, add_help
from juniper_ctl.errors import COMMON, ControlError, Exit
from juniper_ctl.progress import print_json, program_as_called, program_as_typed
from juniper_ctl.table import printable

GROUPS: Mapping[str, Mapping[str, str]] = {
    "from nothing": {
        "demo": "everything from nothing: set up, start, train, and where to look",
        "dev": "data and cascor with loud logs, the dashboard on recordings: to work on them",
        "install": "install a release and the systemd units",
        "uninstall": "stop and remove the services; settings and data stay",
        "releases": "the releases that are kept here",
        "rollback": "make an earlier release current again",
        "bundle": "make a folder from which hosts without a registry install",
    },
    "run the services": {
        "start": "start services and wait until they are ready",
        "stop": "stop services and wait until they have ended",
        "restart": "restart services and wait until they are ready",
        "wait": "wait until services are ready, whoever starts them",
        "enable": "have the services start by themselves",
        "disable": "have them started by hand alone",
    },
    "tell them": {
        "env": "what the env files set, and what is wrong with them",
        "credentials": "the services' keys: which there are, set one, make new ones",
    },
    "keep what they made": {
        "backup": "back up what the services keep, while they run; list and verify backups",
        "restore": "put a backup in the place of what the services keep, or see whether that would do",
        "retention": "remove the backups that need not stay",
    },
    "see how they are": {
        "status": "what runs, one line per service",
        "resources": "what they use of memory, processors, disks and GPUs, and their limits",
        "health": "whether the services are well, asked now; and how they were",
        "alerts": "what has failed and is not well again",
        "logs": "what the services wrote",
        "runs": "the trainings: what they are, and one of them",
        "snapshots": "what the trainings have kept of their networks",
        "doctor": "what this host lacks for the services, and what to type about it",
        "hosts": "how the services of all hosts of an inventory are, as Ansible finds them",
    },
    "this program": {
        "completion": "print what completes its commands in bash, zsh or fish",
        "version": "what this program belongs to",
    },
}
"""The commands, as the help shows them. Each is a module of `juniper_ctl.commands`."""

COMMANDS: Mapping[str, str] = {name: tells for group in GROUPS.values() for name, tells in group.items()}

EXAMPLES = (
    ("juniper-ctl demo", "see it work, in a minute"),
    ("juniper-ctl install && juniper-ctl start", "run it for good"),
    ("juniper-ctl status", "what runs"),
    ("juniper-ctl logs cascor -f", "what the training service does"),
    ("juniper-ctl doctor", "what is wrong here"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code. An error is a line or two for a person, never a traceback."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    try:
        return _run(words)
    except ControlError as error:
        return _failed(error, words)
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except BrokenPipeError:
        return Exit.OK  # Whoever read our output has seen enough.
    except PermissionError as error:
        return _failed(ControlError(str(error), next_command=_look_at(error), code=Exit.PERMISSION), words)
    except OSError as error:
        return _failed(ControlError(str(error), next_command=_look_at(error)), words)


def _run(words: Sequence[str]) -> int:
    try:
        options = parser(_called(words)).parse_args(words)
        scope.choose("system" if options.system else "user")
        return int(module_of(options.command).run(options))
    finally:
        try:
            print(end="", flush=True)
        except OSError:
            # Nothing more must go there: at the end Python would try once more, and print a traceback.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise


def parser(commands: Sequence[str]) -> Parser:
    """The parser with the arguments of these commands, and of no other."""
    program = program_as_called()
    whole = Parser(
        prog=program,
        usage=f"{program} [--system] COMMAND ...",
        description="Runs Juniper's three services on this host: data, cascor and canopy.",
    )
    whole.add_argument(
        "--system", action="store_true", help="the services of the whole host, not this user's (as root)"
    )
    # Its own name for the program, else it makes the whole help to find one.
    subparsers = whole.add_subparsers(
        dest="command", required=True, metavar="COMMAND", prog=program, help=argparse.SUPPRESS
    )
    add_help(whole, groups=GROUPS, examples=EXAMPLES, exits=tuple(Exit))
    for name in commands:
        module = module_of(name)
        command = subparsers.add_parser(name, description=f"{COMMANDS[name][0].upper()}{COMMANDS[name][1:]}.")
        module.add_arguments(command)
        add_help(command, examples=module.EXAMPLES, exits=(*COMMON, *module.EXITS))
    return whole


def module_of(command: str) -> ModuleType:
    """What a command takes and runs."""
    return importlib.import_module(f"juniper_ctl.commands.{command}")


def _called(words: Sequence[str]) -> Sequence[str]:
    """The command that the words name, if they name one."""
    name = next((word for word in words if not word.startswith("-")), None)
    if name is not None and name not in COMMANDS:
        from difflib import get_close_matches

        like = get_close_matches(name, COMMANDS, 1)
        meant = f"; did you mean {like[0]}?" if like else ""
        raise ControlError(f"there is no command {name}{meant}", next_command="juniper-ctl --help", code=Exit.USAGE)
    return () if name is None else (name,)


def _failed(error: ControlError, words: Sequence[str]) -> int:
    next_command = error.next_command.replace("juniper-ctl", program_as_typed(), 1)
    if "--json" in words:
        print_json({"verdict": error.code.name.lower(), "error": error.message, "next": next_command})
    # A name that a stranger chose may stand in it; the ends of lines are ours.
    lines = [f"juniper-ctl: {error.message}", f"  next: {next_command}"]
    print(*(printable(line) for text in lines for line in text.split("\n")), sep="\n", file=sys.stderr)
    return error.code


def _look_at(error: OSError) -> str:
    return f"ls -ld {error.filename}" if error.filename else "juniper-ctl status"
