"""The command line. Each command's code is imported when it is called, so that `status` starts fast."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from juniper_ctl.errors import ControlError, Exit
from juniper_ctl.progress import program_as_typed, say
from juniper_ctl.services import named

DEMO_PACE = 50.0
DEMO_SEED = 42


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code. An error is a line or two for a person, never a traceback."""
    program = program_as_typed()
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

    install = commands.add_parser("install", help="install a release and the systemd units for this user")
    install.add_argument("--wheelhouse", type=Path, metavar="DIR", help="a bundle: no registry is asked")
    _add_build_options(install)

    start = commands.add_parser("start", help="start services and wait until they are ready")
    stop = commands.add_parser("stop", help="stop services and wait until they have ended")
    restart = commands.add_parser("restart", help="restart services and wait until they are ready")
    for command in (start, restart):
        command.add_argument("--no-wait", action="store_true", help="do not wait until they are ready")

    status = commands.add_parser("status", help="what runs, one line per service")
    status.add_argument("--json", action="store_true", help="the same for programs")

    doctor = commands.add_parser("doctor", help="what this host lacks for the services, and what to type about it")
    doctor.add_argument("section", nargs="*", help="what to look at: gpu; none: everything")
    doctor.add_argument("--json", action="store_true", help="the same for programs")

    logs = commands.add_parser("logs", help="what the services wrote")
    logs.add_argument("-n", "--lines", type=int, default=50, help="how many of the last lines (default: %(default)s)")
    logs.add_argument("-f", "--follow", action="store_true", help="go on as more is written")
    logs.add_argument("--since", metavar="TIME", help="all since then, as journalctl takes it: -10min, today, 12:30")

    for command in (start, stop, restart, status, logs):
        command.add_argument("service", nargs="*", help="data, cascor or canopy; none: all three")

    bundle = commands.add_parser("bundle", help="make a folder from which hosts without a registry install")
    bundle.add_argument("folder", nargs="?", type=Path, metavar="DIR", help="where (default: below dist/)")
    _add_build_options(bundle)

    commands.add_parser("uninstall", help="stop and remove the services; settings and data stay")
    commands.add_parser("version", help="what this program belongs to")
    return parser


def _add_build_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--extra",
        action="append",
        default=[],
        choices=("gpu", "redis", "postgres", "hub"),
        dest="extras",
        help="optional dependencies; may be given more than once",
    )
    parser.add_argument("--gpu", action="append_const", const="gpu", dest="extras", help="the same as --extra gpu")
    parser.add_argument("--python", type=Path, metavar="PATH", help="the Python that the services run with")


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


def _install(options: argparse.Namespace) -> Exit:
    from juniper_ctl.install import Install

    return Install(wheelhouse=options.wheelhouse, extras=options.extras, python=options.python).run()


def _start(options: argparse.Namespace) -> Exit:
    from juniper_ctl import control

    return control.start(named(options.service), say, wait=not options.no_wait)


def _stop(options: argparse.Namespace) -> Exit:
    from juniper_ctl import control

    return control.stop(named(options.service), say)


def _restart(options: argparse.Namespace) -> Exit:
    from juniper_ctl import control

    return control.restart(named(options.service), say, wait=not options.no_wait)


def _status(options: argparse.Namespace) -> Exit:
    from juniper_ctl.status import status

    return status(named(options.service), as_json=options.json)


def _doctor(options: argparse.Namespace) -> Exit:
    from juniper_ctl.doctor import doctor

    return doctor(options.section, as_json=options.json)


def _logs(options: argparse.Namespace) -> Exit:
    from juniper_ctl.logs import logs

    logs(named(options.service), lines=options.lines, follow=options.follow, since=options.since)


def _bundle(options: argparse.Namespace) -> Exit:
    from juniper_ctl.bundle import make_bundle

    return make_bundle(options.folder, extras=options.extras, python=options.python)


def _uninstall(_: argparse.Namespace) -> Exit:
    from juniper_ctl.uninstall import uninstall

    return uninstall()


def _version(_: argparse.Namespace) -> Exit:
    from juniper_ctl.checkout import version_of_this_program

    print(version_of_this_program())
    return Exit.OK


_COMMANDS = {
    "demo": _demo,
    "install": _install,
    "start": _start,
    "stop": _stop,
    "restart": _restart,
    "status": _status,
    "doctor": _doctor,
    "logs": _logs,
    "bundle": _bundle,
    "uninstall": _uninstall,
    "version": _version,
}
