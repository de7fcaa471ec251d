"""Whether the services start by themselves: with the user's manager, which starts at boot where the user lingers."""

import os
import pwd
import subprocess

from juniper_ctl import scope, systemctl
from juniper_ctl.errors import Exit
from juniper_ctl.progress import print_json, say

_TARGET = "juniper.target"


def enable(*, as_json: bool) -> Exit:
    """Have them started at boot. It is only in part done where the user does not linger.

    Raises:
        ControlError: no manager answers, or nothing is installed.
    """
    systemctl.require_manager()  # systemctl would write the link without one, of units that nobody has looked at
    systemctl.tell("enable", _TARGET)
    lingers = None if scope.chosen() == "system" else _lingers()
    verdict = Exit.DEGRADED if lingers is False else Exit.OK
    if as_json:
        print_json({"verdict": verdict.name.lower(), "is_enabled": True, "lingers": lingers})
        return verdict
    if scope.chosen() == "system":
        say("enable", f"{_TARGET} starts at boot")
        return verdict
    say("enable", f"{_TARGET} starts with this user's manager")
    say("linger", _LINGER[lingers])
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
    systemctl.tell("disable", _TARGET)
    if as_json:
        print_json({"verdict": "ok", "is_enabled": False})
    else:
        say("disable", f"{_TARGET} does not start by itself; what runs goes on")
    return Exit.OK


def _lingers() -> bool | None:
    """None: logind does not tell."""
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
