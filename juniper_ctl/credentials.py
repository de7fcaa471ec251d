"""The services' keys: files that their owner alone reads, and that systemd hands to the services which name them.

A key is changed without a moment in which a service is locked out, in two steps. `rotate` puts a new key before the
old ones and restarts the service, which then takes both; after that it gives the new key to the services that show it
and restarts those. `rotate --finish` drops the old ones: until then everybody else may go on with the key they have.
"""

import os
import re
import secrets
import stat
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeAlias

from juniper_ctl import systemctl, tls
from juniper_ctl.control import restart
from juniper_ctl.env_file import credential
from juniper_ctl.errors import ControlError, Exit
from juniper_ctl.locations import Locations
from juniper_ctl.progress import print_json, say
from juniper_ctl.release import write_atomically
from juniper_ctl.services import Service, of_this_host

KEY_BYTES = 32
"""Of a new key: 256 bits, 43 characters."""

_OTHERS = 0o077

Restarts: TypeAlias = Callable[[Sequence[Service]], None]


@dataclass(frozen=True, slots=True)
class Credential:
    """One file, and never what it holds."""

    name: str
    is_set: bool | None
    """None: there is no file, and the services that read it do not start."""
    mode: str | None
    age_s: float | None
    read_by: tuple[str, ...]
    complaint: str
    """What is wrong, with the command that mends it."""


def names() -> list[str]:
    """All that there are."""
    return sorted({name for service in of_this_host() for name in service.credentials})


def found(locations: Locations) -> list[Credential]:
    """What there is of them."""
    return [_look(name, locations) for name in names()]


def exposed(locations: Locations) -> dict[Path, str]:
    """What others may look into of the settings' folder and of all secrets, each with the command that mends it."""
    paths = (locations.configuration, locations.credentials, *sorted(locations.credentials.glob("*")))
    return {
        path: f"chmod {'700' if path.is_dir() else '600'} {path}"
        for path in paths
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & _OTHERS
    }


def list_credentials(locations: Locations, *, as_json: bool) -> Exit:
    """Print them, never their values. It is a configuration error that others can read one, or that one is missing."""
    _require_folder(locations)
    rows = found(locations)
    verdict = Exit.CONFIGURATION if any(row.complaint for row in rows) else Exit.OK
    if as_json:
        told = {"verdict": verdict.name.lower(), "credentials": [asdict(row) for row in rows]}
        print_json(told)
        return verdict
    form = "{:<30} {:<8} {:<5} {:>6}  {}"
    print(form.format("CREDENTIAL", "STATE", "MODE", "AGE", "READ BY"))
    for row in rows:
        state = {None: "missing", False: "empty", True: "set"}[row.is_set]
        age = "-" if row.age_s is None else f"{row.age_s / 86400:.0f} d"
        print(form.format(row.name, state, row.mode or "-", age, ", ".join(row.read_by)))
    for row in rows:
        if row.complaint:
            print(f"  next: {row.complaint}")
    return verdict


def set_credential(name: str, value: str, locations: Locations) -> Exit:
    """Write a value that a person gave.

    Raises:
        ControlError: there is no such credential, or it is no key, or no PEM where it is to be one.
    """
    readers = _readers(name)
    is_pem = tls.is_pem(name)
    keys = [part.strip() for part in value.strip().split(",")] if name.endswith("_api_keys") else [value.strip()]
    path = locations.credentials / name
    if not any(keys):
        without = "without TLS" if is_pem else "to ask for no key"
        raise ControlError("nothing was given", next_command=f"truncate --size=0 {path}   ({without})", code=Exit.USAGE)
    is_key = all(re.fullmatch(r"[!-+\--~]+", key) for key in keys)
    key_complaint = "" if is_key else "a key is printable ASCII without spaces and commas"
    if complaint := tls.complaint(name, value) if is_pem else key_complaint:
        raise ControlError(complaint, next_command=typed(name), code=Exit.USAGE)
    _write(name, keys, locations)
    say("credential", f"{name} is set; it counts from: juniper-ctl restart {' '.join(each.name for each in readers)}")
    return Exit.OK


def typed(name: str) -> str:
    """The command that sets it. A PEM comes from a file: of one that is pasted the shell would get all but a line."""
    return f"juniper-ctl credentials set {name}" + (" <FILE.pem" if tls.is_pem(name) else "")


def restart_running(services: Sequence[Service]) -> None:
    """Restart those that run; the others read the file at their next start."""
    if not services or not systemctl.manager_answers():  # Asked for no unit, systemd would tell of itself.
        return
    states = systemctl.show([service.unit for service in services])
    running = [each for each, state in zip(services, states, strict=True) if state.active in ("active", "activating")]
    if running:
        restart(running, say)


def rotate(name: str | None, locations: Locations, *, finish: bool, restarts: Restarts = restart_running) -> Exit:
    """Make a new key, or drop those before it.

    Args:
        name: a service's `juniper_…_api_keys`; None: of each service that has keys.
        locations: where they lie.
        finish: drop the older keys.
        restarts: has services read their credentials.

    Raises:
        ControlError: there is no such credential, nothing to rotate, or a service does not start.
    """
    _require_folder(locations)
    for service in _services_of(name, locations):
        (_finish if finish else _begin)(service, locations, restarts)
    return Exit.OK


def _begin(service: Service, locations: Locations, restarts: Restarts) -> None:
    own = _own(service)
    old, new = _keys(own, locations), secrets.token_urlsafe(KEY_BYTES)
    shown = _shown(service)
    if old:
        _write(own, [new, *old], locations)
        restarts([service])
    for name in shown:
        _write(name, [new], locations)
    restarts([reader for reader in of_this_host() if set(shown) & set(reader.credentials)])
    if old:
        say(service.name, f"new key in {locations.credentials / own}; the old one counts until:")
        say("next", f"juniper-ctl credentials rotate --finish {own}")
        return
    # The first key: whoever shows one where none is asked for is served, so those who show it come first.
    _write(own, [new], locations)
    restarts([service])
    say(service.name, f"first key in {locations.credentials / own}: without it nobody is served")


def _finish(service: Service, locations: Locations, restarts: Restarts) -> None:
    own = _own(service)
    keys = _keys(own, locations)
    if len(keys) < 2:
        say(service.name, "no older key")
        return
    for name in _shown(service):
        reader = _readers(name)[0]
        if _keys(name, locations) != keys[:1]:
            raise ControlError(
                f"{reader.name} does not show the newest key: {name} holds another",
                next_command=f"juniper-ctl credentials rotate {own}",
            )
        if _started_before(reader, locations.credentials / name):
            restarts([reader])
    _write(own, keys[:1], locations)
    restarts([service])
    say(service.name, f"{len(keys) - 1} older key{'' if len(keys) == 2 else 's'} refused from now on")


def _services_of(name: str | None, locations: Locations) -> list[Service]:
    asked = [service for service in of_this_host() if name in (_own(service), service.name)]
    if name is not None and not asked:
        raise ControlError(
            f"{name} is no service's keys; there are {', '.join(_own(service) for service in of_this_host())}",
            next_command="juniper-ctl credentials list",
            code=Exit.USAGE,
        )
    chosen = asked or [service for service in of_this_host() if _keys(_own(service), locations)]
    if not chosen:
        raise ControlError(
            "no service asks for a key: name one to make its first",
            next_command=f"juniper-ctl credentials rotate {_own(of_this_host()[0])}",
        )
    return chosen


def _own(service: Service) -> str:
    return f"juniper_{service.name}_api_keys"


def _shown(service: Service) -> list[str]:
    """The credentials in which other services have a key of this one."""
    return [name for name in names() if name.endswith(f"_{service.name}_api_key")]


def _readers(name: str) -> list[Service]:
    readers = [service for service in of_this_host() if name in service.credentials]
    if not readers:
        raise ControlError(
            f"there is no credential {name}; there are {', '.join(names())}",
            next_command="juniper-ctl credentials list",
            code=Exit.USAGE,
        )
    return readers


def _keys(name: str, locations: Locations) -> list[str]:
    return [part.strip() for part in credential(name, locations).split(",") if part.strip()]


def _write(name: str, keys: Sequence[str], locations: Locations) -> None:
    """Write one, readable by its owner alone, whatever it was before."""
    _require_folder(locations)
    if locations.credentials in exposed(locations):
        locations.credentials.chmod(0o700)
        say("mended", f"others could look into {locations.credentials}")
    write_atomically(locations.credentials / name, ",".join(keys) + "\n", mode=0o600)


def _require_folder(locations: Locations) -> None:
    if not locations.credentials.is_dir():
        raise ControlError(
            f"there is no {locations.credentials}", next_command="juniper-ctl install", code=Exit.CONFIGURATION
        )


def _started_before(service: Service, path: Path) -> bool:
    """Whether a running service may still have what the file held before; systemd tells whole seconds."""
    if not systemctl.manager_answers():
        return False
    (state,) = systemctl.show([service.unit])
    since = state.properties.get("StateChangeTimestamp", "").removeprefix("@")
    return state.active == "active" and since.isdigit() and int(since) <= path.stat().st_mtime


def _look(name: str, locations: Locations) -> Credential:
    path = locations.credentials / name
    read_by = tuple(service.name for service in _readers(name))
    if not path.is_file():
        return Credential(name, None, None, None, read_by, "juniper-ctl install")
    status = path.stat()
    mends = exposed(locations)
    complaint = mends.get(locations.credentials) or mends.get(path, "")
    readable = os.access(path, os.R_OK)
    is_set = bool(credential(name, locations)) if readable else status.st_size > 0
    return Credential(
        name, is_set, f"{stat.S_IMODE(status.st_mode):03o}", time.time() - status.st_mtime, read_by, complaint
    )
