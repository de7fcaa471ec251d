"""The profile that a host runs: it picks the target, and the env file between `juniper.env` and a service's own.

systemd expands no variable in `EnvironmentFile=`. So the units read `profile.env`, a link that is made here.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from juniper_ctl.env_file import PROFILE_LINK, common, parse, text_of
from juniper_ctl.errors import ControlError, Exit
from juniper_ctl.locations import Locations
from juniper_ctl.services import SERVICES, Service

DEFAULT = "production"

TARGETS: Mapping[str, str] = {"dev": "juniper-dev.target", "demo": "juniper-demo.target", DEFAULT: "juniper.target"}
"""What starts each profile."""

VARIABLE = "JUNIPER_ENV"


def env_files(locations: Locations) -> dict[Path, Sequence[Service]]:
    """The env files that there are, of each profile too, with the services that read each."""
    shared = {locations.configuration / f"{name}.env": SERVICES for name in ("juniper", *TARGETS)}
    own = {locations.configuration / f"{service.name}.env": (service,) for service in SERVICES}
    return {path: services for path, services in {**shared, **own}.items() if path.is_file()}


def said(environment: Mapping[str, str], locations: Locations) -> str | None:
    """The profile that the caller's environment names, else `juniper.env`; None: neither does.

    Raises:
        ControlError: it names none that there is.
    """
    profile = environment.get(VARIABLE) or common(locations).get(VARIABLE) or None
    if profile is not None and profile not in TARGETS:
        raise ControlError(
            f"{VARIABLE}={profile} is no profile; there are {', '.join(TARGETS)}",
            next_command=f"{VARIABLE}={DEFAULT} juniper-ctl start   (or mend {locations.configuration}/juniper.env)",
            code=Exit.CONFIGURATION,
        )
    return profile


def chosen(locations: Locations) -> str:
    """The one that services are started with now."""
    link = locations.configuration / PROFILE_LINK
    if link.is_symlink():
        return link.readlink().name.removesuffix(".env")
    # What systemd hands to a unit of the host is a copy of the file.
    return (common(locations) | parse(text_of(link))).get(VARIABLE) or DEFAULT


def choose(profile: str, locations: Locations) -> None:
    """Point the link to the profile's file, in one step: at no moment there is none.

    Raises:
        ControlError: services would be started with another profile, since the file does not set this one.
    """
    file = locations.configuration / f"{profile}.env"
    if (common(locations) | parse(text_of(file))).get(VARIABLE, DEFAULT) != profile:
        missing = not file.exists()
        raise ControlError(
            f"{file} {'is not there' if missing else f'does not say {VARIABLE}={profile}'}",
            next_command="juniper-ctl install" if missing else f"echo {VARIABLE}={profile} >>{file}",
            code=Exit.CONFIGURATION,
        )
    link = locations.configuration / PROFILE_LINK
    if not file.exists():
        link.unlink(missing_ok=True)
    elif not (link.is_symlink() and str(link.readlink()) == file.name):
        beside = link.with_name(f".{link.name}.{os.getpid()}")
        beside.unlink(missing_ok=True)
        beside.symlink_to(file.name)
        beside.replace(link)
