"""Asks the training service, or has it do something, for a person at the command line."""

import os
from collections.abc import Mapping
from typing import Any

from juniper_ctl.env_file import credential, environment_of
from juniper_ctl.errors import ControlError, Exit
from juniper_ctl.locations import Locations
from juniper_ctl.service_api import ServiceApi
from juniper_ctl.services import CASCOR, Service

_CODES = {401: Exit.PERMISSION, 403: Exit.PERMISSION, 422: Exit.USAGE}


def api_of(service: Service, locations: Locations, over: Mapping[str, str]) -> ServiceApi:
    """The service's address, and its first key, from the env and credential files; `over` goes before them."""
    environment = environment_of(service, locations, over=over)
    variable = f"JUNIPER_{service.name.upper()}_API_KEYS"
    keys = environment.get(variable) or credential(variable.lower(), locations)
    return ServiceApi(service.port(environment), keys.split(",")[0].strip())


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
    api = api_of(CASCOR, locations, os.environ)
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
