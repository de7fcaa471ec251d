"""Doctor's section on the host: systemd, what it may hand out, and the clock."""

import re
import shutil
import subprocess
from pathlib import Path

from juniper_ctl import scope, systemctl
from juniper_ctl.boot import lingers
from juniper_ctl.doctor.findings import Finding, Level
from juniper_ctl.locations import Locations

OLDEST_SYSTEMD = 252
"""What the units are made for, and tested with."""

_CONTROLLERS = {
    "memory": "MemoryMax= has no effect, and memory is told from the processes",
    "cpu": "CPUQuota= has no effect",
    "pids": "TasksMax= has no effect",
    "io": "no IO is counted",
}
_NAMESPACE_SWITCHES = {
    "user/max_user_namespaces": "0",
    "kernel/unprivileged_userns_clone": "0",
    "kernel/apparmor_restrict_unprivileged_userns": "1",
}
"""Below /proc/sys, each with the value that forbids user namespaces: without these a user's units have no sandbox."""


def look(
    _: Locations, proc: Path = Path("/proc"), cgroups: Path = Path("/sys/fs/cgroup"), etc: Path = Path("/etc")
) -> list[Finding]:
    """What the services need of the machine, whatever is installed on it."""
    if not systemctl.manager_answers():
        error = systemctl.no_manager()
        return [Finding("wrong", error.message, error.next_command), clock()]
    found = [systemd(systemctl.manager_property("Version")), *controllers(cgroups)]
    if scope.chosen() == "user":
        found += [linger(lingers()), *namespaces(proc, etc)]
    return [*found, clock()]


def systemd(version: str) -> Finding:
    """Whether the manager is new enough; its version is like `252.39-1~deb12u1`."""
    number = re.match(r"\d+", version)
    if number is None:
        return Finding("unknown", f"systemd says of its version: {version}")
    if int(number[0]) < OLDEST_SYSTEMD:
        why = f"systemd {number[0]} is older than {OLDEST_SYSTEMD}, which the units are made for"
        return Finding("wrong", why, "cat /etc/os-release   (a newer release of it brings a newer systemd)")
    return Finding("ok", f"systemd {number[0]} answers")


def linger(is_on: bool | None) -> Finding:
    """Whether the services outlive the user's login."""
    if is_on is None:
        return Finding("unknown", "logind does not tell whether you linger: the services may end at logout")
    if is_on:
        return Finding("ok", "you linger: the services run without a login, and from the boot on where enabled")
    return Finding("wrong", "you do not linger: the services end at logout", "loginctl enable-linger")


def controllers(cgroups: Path) -> list[Finding]:
    """Which resources the manager can count and limit."""
    group = systemctl.manager_property("ControlGroup")
    try:
        offered = set((cgroups / "cgroup.controllers").read_text(encoding="ascii").split())
        delegated = set((cgroups / group.lstrip("/") / "cgroup.controllers").read_text(encoding="ascii").split())
    except OSError as error:
        return [Finding("unknown", f"the control groups cannot be read: {error}")]
    found = []
    for name, without in _CONTROLLERS.items():
        if name not in offered:
            found.append(Finding("absent", f"this machine offers no {name} controller: {without}"))
        elif name not in delegated:
            how = "sudo systemctl edit user@.service   (two lines: [Service] and Delegate=cpu io memory pids)"
            level: Level = "absent" if name == "io" else "wrong"
            found.append(Finding(level, f"the {name} controller is not delegated to you: {without}", how))
    there = ", ".join(sorted(delegated & set(_CONTROLLERS)))
    return [Finding("ok", f"counted and limited: {there}"), *found] if there else found


def namespaces(proc: Path, etc: Path) -> list[Finding]:
    """Whether a user's units may have a sandbox. That they have one is what the section `sandbox` proves."""
    found = []
    for switch, forbids in _NAMESPACE_SWITCHES.items():
        path = proc / "sys" / switch
        if not path.exists() or path.read_text(encoding="ascii").strip() != forbids:
            continue
        if "apparmor" in switch:
            if not (etc / "apparmor.d/systemd-executor").exists():
                why = "AppArmor takes user namespaces away from systemd: the services would run without their sandbox"
                found.append(Finding("wrong", why, "see docs/secure.md: the profile for Ubuntu"))
            continue
        name = switch.replace("/", ".")
        why = f"user namespaces are forbidden ({name}={forbids}): the services do not start"
        found.append(Finding("wrong", why, f"sudo sysctl -w {name}={'1' if forbids == '0' else '0'}"))
    return found or [Finding("ok", "user namespaces are allowed")]


def clock() -> Finding:
    """Whether something keeps the clock right: times of runs and the expiry of datasets are read from it."""
    if shutil.which("timedatectl") is None:
        return Finding("unknown", "there is no timedatectl that would say whether the clock is right")
    asked = subprocess.run(
        ["timedatectl", "show", "--property=NTPSynchronized", "--value"],
        capture_output=True,
        text=True,
        check=False,
        timeout=10,
    )
    said = asked.stdout.strip()
    if said == "yes":
        return Finding("ok", "the clock is synchronised")
    if said == "no":
        return Finding("absent", "nothing synchronises the clock", "sudo timedatectl set-ntp true")
    why = asked.stderr.partition("\n")[0]
    return Finding("unknown", f"timedatectl does not say whether the clock is right: {why}")
