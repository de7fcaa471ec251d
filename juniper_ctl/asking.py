"""Asks the training service, or has it do something, for a person at the command line."""

import os
from typing import Any

from juniper_ctl.errors import ControlError, Exit
from juniper_ctl.locations import Locations
from juniper_ctl.service_api import ServiceApi
from juniper_ctl.services import CASCOR

_CODES = {401: Exit.PERMISSION, 403: Exit.PERMISSION, 422: Exit.USAGE}


def ask(path: str, *, instead: str) -> dict[str, Any]:
    """What it answers to a GET; `instead` is what to type where it refuses.

    Raises:
        ControlError: it refuses, or does not answer.
    """
    return _answered("GET", path, instead)


def tell(path: str, *, instead: str) -> dict[str, Any]:
    """What it answers to a POST that says nothing more, as `ask`."""
    return _answered("POST", path, instead)


def _answered(method: str, path: str, instead: str) -> dict[str, Any]:
    locations = Locations.of(os.environ)
    api = ServiceApi.of(CASCOR, locations, over=os.environ)
    try:
        answer = api.get(path) if method == "GET" else api.post(path, {})
    except ConnectionRefusedError:
        raise ControlError(
            f"cascor does not run: nobody listens on port {api.port}",
            next_command="juniper-ctl start cascor",
            code=Exit.STOPPED,
        ) from None
    except OSError as error:
        raise ControlError(
            f"cascor does not answer on port {api.port}: {error}",
            next_command="juniper-ctl logs cascor",
            code=Exit.TIMEOUT,
        ) from None
    data = answer.body.get("data")
    if answer.is_success and isinstance(data, dict):
        return data
    code = _CODES.get(answer.status, Exit.FAILED)
    next_command = f"ls -l {locations.credentials}" if code is Exit.PERMISSION else instead
    raise ControlError(f"cascor refuses: {answer.complaint()}", next_command=next_command, code=code)
