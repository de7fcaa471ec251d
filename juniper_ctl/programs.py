"""Asks the services' own programs, which know more than the standard library does."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from juniper_ctl.checkout import Checkout
from juniper_ctl.locations import Locations
from juniper_ctl.services import Service


def program_of(service: Service, locations: Locations) -> Path | None:
    """What the unit starts; without an installation, what the checkout would."""
    checkout = Checkout.find()
    folders = [locations.current, *([checkout.environment] if checkout else [])]
    return next((path for folder in folders if (path := folder / "bin" / service.command).exists()), None)


class NoAnswerError(Exception):
    """A program says nothing that can be read; the message says why."""


def ask(
    program: Path, *arguments: str, environment: Mapping[str, str], timeout_s: float, given: object = None
) -> dict[str, Any]:
    """The JSON object that a program prints, whatever its exit code is; it reads what is given as JSON.

    Raises:
        NoAnswerError: there is none.
    """
    try:
        asked = subprocess.run(
            [program, *arguments],
            input=json.dumps(given),
            capture_output=True,
            text=True,
            env=environment,
            check=False,
            timeout=timeout_s,
        )
        answer: dict[str, Any] = json.loads(asked.stdout)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoAnswerError(str(error)) from error
    except ValueError:
        said = asked.stderr.strip().rpartition("\n")[2]
        raise NoAnswerError(said or f"it ended with {asked.returncode}") from None
    return answer
