"""Whether the services start by themselves: with the user's manager, which starts at boot where the user lingers."""

import os
import pwd
import subprocess

from juniper_ctl import profiles, scope, systemctl
from juniper_ctl.errors import Exit
from juniper_ctl.locations import Locations
from juniper_ctl.progress import print_json, say

TARGETS = tuple(profiles.TARGETS.values())
"""Those that may be enabled."""


def enable(*, as_json: bool) -> Exit:
    """Have them started at boot, under the profile that this host runs. In part alone where the user does not linger.

    Raises:
        ControlError: no manager answers, nothing is installed, or the settings name no profile that there is.
    """
    systemctl.require_manager()  # systemctl would write the link without one, of units that nobody has looked at
    locations = Locations.of(os.environ)
    target = profiles.TARGETS[profiles.said(os.environ, locations) or profiles.chosen(locations)]
    systemctl.tell("enable", target)
    # That of the profile before.
    systemctl.tell("disable", *(other for other in TARGETS if other != target))
    is_on = None if scope.chosen() == "system" else lingers()
    verdict = Exit.DEGRADED if is_on is False else Exit.OK
    if as_json:
        print_json({"verdict": verdict.name.lower(), "is_enabled": True, "target": target, "lingers": is_on})
        return verdict
    if scope.chosen() == "system":
        say("enable", f"{target} starts at boot")
        return verdict
    say("enable", f"{target} starts with this user's manager")
    say("linger", _LINGER[is_on])
    if verdict is not Exit.OK:
        print("next: loginctl enable-linger")
    return verdict


_LINGER = {
    True: "on: the manager starts at boot",
    False: "off: the manager starts when this user logs in, and ends with the last session",
    None: "unknown, since logind does not tell: the manager may start at login only",
}


def disable(*, as_json: bool) -> Exit:
    """Have them started by hand alone. What runs goes on.

    Raises:
        ControlError: no manager answers, or nothing is installed.
    """
    systemctl.require_manager()
    systemctl.tell("disable", *TARGETS)
    if as_json:
        print_json({"verdict": "ok", "is_enabled": False})
    else:
        say("disable", "nothing starts by itself any more; what runs goes on")
    return Exit.OK


def lingers() -> bool | None:
    """Whether the user's manager runs without a login; None: logind does not tell."""
    user = pwd.getpwuid(os.getuid()).pw_name
    try:
        asked = subprocess.run(
            ["loginctl", "show-user", user, "--property=Linger", "--value"],
            capture_output=True,
            text=True,
            env=os.environ | {"LC_ALL": "C.UTF-8"},
            check=False,
        )
    except FileNotFoundError:
        return None
    if "not logged in or lingering" in asked.stderr:
        return False
    return {"yes": True, "no": False}.get(asked.stdout.strip())
