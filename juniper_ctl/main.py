"""The command line. Each command's code is imported when it is called, so that `status` starts fast."""

import argparse
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from juniper_ctl.errors import ControlError, Exit

DEMO_PACE = 50.0
DEMO_SEED = 42


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code. An error is a line or two for a person, never a traceback."""
    program = _as_typed()
    try:
        options = _parser(program).parse_args(arguments)
        return int(_COMMANDS[options.command](options))
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


def _as_typed() -> str:
    """How to call this program again, from where the person stands."""
    called = sys.argv[0]
    return called if called.endswith("scripts/juniper-ctl") else "juniper-ctl"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ControlError(message, next_command=f"juniper-ctl{self._command()} --help", code=Exit.USAGE)

    def _command(self) -> str:
        return "".join(f" {word}" for word in self.prog.split()[1:])


def _parser(program: str) -> argparse.ArgumentParser:
    parser = _Parser(prog=program, description="Runs Juniper's three services on this host.", allow_abbrev=False)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    demo = commands.add_parser("demo", help="everything from nothing: set up, start, train, and where to look")
    demo.add_argument(
        "--pace",
        type=_pace,
        default=DEMO_PACE,
        metavar="EPOCHS",
        help="epochs per second, or `full` for as fast as it goes (default: %(default)g)",
    )
    demo.add_argument("--seed", type=int, default=DEMO_SEED, help="of the training run (default: %(default)s)")
    demo.add_argument("--foreground", action="store_true", help="without systemd, even where it answers")

    return parser


def _pace(text: str) -> float | None:
    if text == "full":
        return None
    try:
        pace = float(text)
    except ValueError:
        pace = 0
    if not 0 < pace <= 1e6:
        raise argparse.ArgumentTypeError(f"{text} is neither a number above 0 nor full")
    return pace


def _demo(options: argparse.Namespace) -> Exit:
    from juniper_ctl.demo import Demo

    return Demo(pace=options.pace, seed=options.seed, foreground=options.foreground).run()


_COMMANDS = {"demo": _demo}
