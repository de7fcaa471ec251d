"""`juniper-cascor` runs the training service; `juniper-cascor warm-up` compiles the engine ahead of its first start."""

import argparse
import os
import sys
from collections.abc import Sequence

from juniper_cascor.app import create_service
from juniper_cascor.runs import trainer_process
from juniper_cascor.runs.store import StoreError
from juniper_cascor.settings import CascorSettings
from juniper_common.server import serve
from juniper_common.settings import EXIT_CONFIGURATION


def main(arguments: Sequence[str] | None = None) -> None:
    """Do what the command line says; it says to serve where it says nothing."""
    parser = argparse.ArgumentParser(prog="juniper-cascor", description=__doc__)
    parser.add_argument("command", nargs="?", choices=("serve", "warm-up"), default="serve")
    command = parser.parse_args(arguments).command
    settings = CascorSettings.load()
    if command == "warm-up":
        warm_up(settings)
        return
    try:
        service = create_service(settings)
    except StoreError as error:
        print(f"juniper-cascor: {error}; set JUNIPER_CASCOR_STATE_DIR", file=sys.stderr)  # noqa: T201 - for the operator
        sys.exit(EXIT_CONFIGURATION)
    serve(service.app, settings, self_check=service.self_check)


def warm_up(settings: CascorSettings) -> None:
    """Compile the engine into the folder where the service's trainer looks for it."""
    os.environ.update(trainer_process.environment(settings.cache_dir))
    # Only now: numba reads its settings when it is imported.
    from juniper_cascor.engine import training

    print(f"the training engine is warm after {training.warm_up():.1f} s")  # noqa: T201 - a command-line tool prints


if __name__ == "__main__":
    main()
