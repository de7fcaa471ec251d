"""The releases that this host keeps, and going back to one of them."""

import os
from typing import NamedTuple

from juniper_ctl.errors import ControlError, Exit
from juniper_ctl.install import Plan, put_in_place, running_releases
from juniper_ctl.locations import Locations
from juniper_ctl.progress import Report, print_json, say
from juniper_ctl.release import Release, locked
from juniper_ctl.services import of_this_host
from juniper_ctl.table import duration, table


class KeptRelease(NamedTuple):
    """One release, as `--json` prints it."""

    release: str
    is_current: bool
    running: list[str]
    """The services that were started from it."""
    age_s: float
    before: str | None
    """The one that it took the place of."""


def show(*, as_json: bool) -> Exit:
    """Print them, the newest first.

    Raises:
        ControlError: nothing is installed.
    """
    locations = Locations.of(os.environ)
    kept = kept_releases(locations)
    running = running_releases(locations)
    rows = [
        KeptRelease(
            release.version,
            release.is_current(locations),
            [name for name, version in running if version == release.version],
            round(release.age_s(), 1),
            release.before,
        )
        for release in kept
    ]
    if as_json:
        print_json({"verdict": "ok", "releases": [row._asdict() for row in rows]})
        return Exit.OK
    cells = [
        (row.release, "current" if row.is_current else "-", ", ".join(row.running) or "-", duration(row.age_s))
        for row in rows
    ]
    print(*table(("RELEASE", "CURRENT", "RUNNING", "AGE"), cells, left=("RELEASE", "CURRENT", "RUNNING")), sep="\n")
    return Exit.OK


def go_back(name: str | None, report: Report = say) -> Plan:
    """Make a release that is kept the current one, with its unit files. Restarts nobody.

    Args:
        name: None: the one whose place the current one took.
        report: told what happens.

    Raises:
        ControlError: there is no such release, or systemd does not read its units.
    """
    locations = Locations.of(os.environ)
    kept = kept_releases(locations)
    with locked(locations):
        current = next((release for release in kept if release.is_current(locations)), None)
        wanted = name or (current.before if current else kept[0].version)
        chosen = [release for release in kept if release.version == wanted]
        if not chosen:
            what = f"no release {name}" if name else "no earlier release"
            raise ControlError(f"{what} is kept here", next_command="juniper-ctl releases", code=Exit.CONFIGURATION)
        plan = Plan.of(chosen[0], chosen[0].files, of_this_host(locations), locations)
        put_in_place(plan, locations, report)
    if not plan.changes_something():
        report("rollback", f"{plan.release.version} is current already, nothing changed")
    return plan


def kept_releases(locations: Locations) -> list[Release]:
    """Those that are whole, the newest first.

    Raises:
        ControlError: there is none.
    """
    folders = locations.releases.iterdir() if locations.releases.is_dir() else ()
    kept = sorted((release for release in map(Release, folders) if release.is_whole()), key=Release.age_s)
    if not kept:
        raise ControlError("no release is installed", next_command="juniper-ctl install", code=Exit.UNKNOWN_UNIT)
    return kept
