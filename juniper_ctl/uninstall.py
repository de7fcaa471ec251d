"""Takes an installation away: services, unit files, code. Settings, secrets and what the services kept stay."""

import os
import shutil

from juniper_ctl import systemctl, unit_files
from juniper_ctl.control import stop
from juniper_ctl.errors import Exit
from juniper_ctl.locations import Locations
from juniper_ctl.progress import say
from juniper_ctl.services import DATA, of_this_host


def uninstall() -> Exit:
    """Stop and remove; says what is left.

    Raises:
        ControlError: systemd cannot stop a service.
    """
    locations = Locations.of(os.environ)
    units = list(unit_files.installed(locations))
    if not units and not locations.code_folder.exists():
        say("uninstall", "nothing is installed")
        return Exit.OK
    answers = systemctl.manager_answers()
    if answers and units:
        stop(of_this_host(), say)
        systemctl.tell("disable", "juniper.target")
    unit_files.remove(units, locations)
    if answers:
        systemctl.tell("daemon-reload")
    if locations.command.is_symlink():
        locations.command.unlink()
    shutil.rmtree(locations.code_folder, ignore_errors=False)
    say(
        "uninstall", f"done; settings stay in {locations.configuration}, data in {locations.state_of(DATA.name).parent}"
    )
    return Exit.OK
