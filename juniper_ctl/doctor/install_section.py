"""Doctor's section on the installation: the release, its unit files, and what runs of it."""

import os
from collections.abc import Sequence

from juniper_ctl import scope, systemctl, unit_files
from juniper_ctl.doctor.findings import Finding
from juniper_ctl.errors import ControlError
from juniper_ctl.locations import Locations
from juniper_ctl.release import Release
from juniper_ctl.services import of_this_host
from juniper_ctl.status import release_of_process
from juniper_ctl.systemctl import UnitState

_DIFF = "juniper-ctl install --diff   (what differs; without --diff it is put right)"


def look(locations: Locations) -> list[Finding]:
    """Whether what was installed is still what is there, and what runs."""
    if not locations.current.is_symlink():
        return [Finding("wrong", "no release is installed", "juniper-ctl install")]
    release = Release(locations.current.resolve())
    found = [
        Finding("ok", f"release {release.version}")
        if release.is_whole()
        else Finding("wrong", f"the release {release.folder} is not whole", "juniper-ctl install")
    ]
    found += _units(locations)
    if str(locations.command.parent) not in os.environ.get("PATH", "").split(os.pathsep):
        why = f"{locations.command.parent} is not on your PATH, so juniper-ctl is not found there"
        found.append(Finding("absent", why, f'export PATH="{locations.command.parent}:$PATH"'))
    try:
        states = systemctl.show([service.unit for service in of_this_host()])
    except ControlError:  # nothing runs where no manager answers, and the section on the host says so
        return found
    return [*found, *running(states, release.version)]


def running(states: Sequence[UnitState], version: str) -> list[Finding]:
    """What systemd has of the services that is not what lies on the disk.

    Args:
        states: of the services, in their order.
        version: the release that would be started.
    """
    found = []
    if any(state.properties.get("NeedDaemonReload") == "yes" for state in states):
        found.append(
            Finding(
                "wrong",
                "systemd has not read the unit files as they are now",
                f"systemctl --{scope.chosen()} daemon-reload",
            )
        )
    for service, state in zip(of_this_host(), states, strict=True):
        if state.active == "failed":
            why = f"{service.name} has failed: {state.properties.get('Result', '')}"
            found.append(Finding("wrong", why, f"juniper-ctl logs {service.name}"))
        pid = state.number("MainPID")
        release = release_of_process(pid) if pid else ""
        if release not in ("", version):
            why = f"{service.name} runs from the earlier release {release}"
            found.append(Finding("wrong", why, f"juniper-ctl restart {service.name}"))
    return found


def _units(locations: Locations) -> list[Finding]:
    files = unit_files.installed(locations)
    if not files:
        return [Finding("wrong", "no unit files are installed", "juniper-ctl install")]
    drifted = unit_files.drifted(locations)
    found = [
        Finding("wrong", f"{path} is {'changed' if path.exists() else 'gone'} since it was installed", _DIFF)
        for path in drifted
    ]
    own = unit_files.own_drop_ins((service.unit for service in of_this_host()), locations)
    same = len(files) - len(drifted)
    return [
        Finding("ok", f"{same} unit files in {locations.units} are as they were installed"),
        *found,
        *(Finding("ok", f"a drop-in of your own: {path}") for path in own),
    ]
