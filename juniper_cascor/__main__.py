"""`juniper-cascor` runs the training service; its other commands train, predict and inspect without it."""

import argparse
import contextlib
import os
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from juniper_cascor.commands import check, gpus, inspection, predict, train
from juniper_cascor.commands.errors import CommandError, Exit
from juniper_cascor.settings import CascorSettings
from juniper_common.command_line import add_settings
from juniper_common.settings import EXIT_CONFIGURATION

PROGRAM = "juniper-cascor"


def main(arguments: Sequence[str] | None = None) -> None:
    """Do what the command line says; it says to serve where it says nothing. Ends the process where that failed."""
    try:
        options = _parser().parse_args(arguments)
        code = options.run(options)
    except CommandError as error:
        print(f"{PROGRAM}: {error.message}; next: {error.next_step}", file=sys.stderr)
        code = error.code
    except KeyboardInterrupt:
        print(f"{PROGRAM}: interrupted before there was anything to keep", file=sys.stderr)
        code = Exit.INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has seen enough; nothing more must be flushed into the closed pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = Exit.OK
    if code:
        sys.exit(code)


def serve(_: argparse.Namespace) -> int:
    """Run the training service until it is told to end."""
    # Only now, here and below: what the other commands do without takes its time to load.
    from juniper_cascor.app import create_service
    from juniper_cascor.runs.store import StoreError
    from juniper_common import logs, server
    from juniper_common.notify import Notifier

    settings = CascorSettings.load()
    # Before the run store is opened, which says where it is taken back.
    logs.configure(settings.log_level, PROGRAM, settings.secrets)
    with contextlib.closing(Notifier()) as notifier:
        try:
            service = create_service(settings, notifier=notifier)
        except StoreError as error:
            hint = "restore the folder from a backup, or set JUNIPER_CASCOR_STATE_DIR to another"
            print(f"{PROGRAM}: {error}; {hint}", file=sys.stderr)
            return EXIT_CONFIGURATION
        server.serve(service.app, settings, self_check=service.self_check, checks=[service.problem], notifier=notifier)
    return Exit.OK


def warm_up(_: argparse.Namespace) -> int:
    """Compile the engine into the folder where the service's trainer looks for it."""
    from juniper_cascor.runs import trainer_process

    os.environ.update(trainer_process.environment(CascorSettings.load().cache_dir))
    # Only now: numba reads its settings when it is imported.
    from juniper_cascor.engine import training

    print(f"the training engine is warm after {training.warm_up():.1f} s")
    return Exit.OK


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise CommandError(message, next_step=f"{self.prog} --help", code=Exit.USAGE)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog=PROGRAM, description=__doc__, allow_abbrev=False)
    parser.set_defaults(run=serve)
    commands = parser.add_subparsers(metavar="COMMAND")
    _add(commands, "serve", serve, "run the training service (the default)")
    _add(commands, "warm-up", warm_up, "compile the engine ahead of its first start")
    train.add_arguments(_add(commands, "train", train.run, "grow a network on a CSV or NPZ file"))
    predict.add_arguments(_add(commands, "predict", predict.run, "ask a network about the patterns of a file"))
    inspection.add_arguments(_add(commands, "inspect", inspection.run, "say what a network's file holds"))
    check.add_arguments(_add(commands, "check", check.run, "read all that the training service keeps"))
    gpus.add_arguments(_add(commands, "gpus", gpus.run, "say what there is to train on a GPU with"))
    add_settings(commands, CascorSettings)
    return parser


def _add(
    commands: "argparse._SubParsersAction[_Parser]", name: str, run: Callable[[argparse.Namespace], int], tells: str
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=tells, description=tells[0].upper() + tells[1:] + ".", allow_abbrev=False)
    command.set_defaults(run=run)
    return command


if __name__ == "__main__":
    main()
