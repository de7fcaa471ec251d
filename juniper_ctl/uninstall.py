"""Takes an installation away: services, unit files, code. Settings, secrets and what the services kept stay."""

import os
import shutil
from collections.abc import Sequence

from juniper_ctl import systemctl, unit_files
from juniper_ctl.boot import TARGETS
from juniper_ctl.control import stop
from juniper_ctl.errors import Exit
from juniper_ctl.locations import Locations
from juniper_ctl.progress import Report, print_json, say, say_nothing
from juniper_ctl.services import DATA, of_this_host


def uninstall(*, as_json: bool = False) -> Exit:
    """Stop and remove; says what is left.

    Raises:
        ControlError: systemd cannot stop a service.
    """
    locations = Locations.of(os.environ)
    settings, state = locations.configuration, locations.state_of(DATA.name).parent
    report = say_nothing if as_json else say
    units = list(unit_files.installed(locations))
    is_installed = bool(units) or locations.code_folder.exists()
    if is_installed:
        _remove(units, locations, report)
    if as_json:
        print_json({"verdict": "ok", "removed": is_installed, "settings": str(settings), "state": str(state)})
        return Exit.OK
    left = f"done; settings stay in {settings}, data in {state}"
    say("uninstall", left if is_installed else "nothing is installed")
    return Exit.OK


def _remove(units: Sequence[str], locations: Locations, report: Report) -> None:
    answers = systemctl.manager_answers()
    if answers and units:
        stop(of_this_host(), report)
        systemctl.tell("disable", *TARGETS)
    unit_files.remove(units, locations)
    if answers:
        systemctl.tell("daemon-reload")
    if locations.command.is_symlink():
        locations.command.unlink()
    shutil.rmtree(locations.code_folder, ignore_errors=False)
