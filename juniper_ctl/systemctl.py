"""Asks and tells systemd: the user's manager or, with `--system`, the host's. The one place that calls `systemctl`."""

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from juniper_ctl import scope
from juniper_ctl.errors import ControlError, Exit

PROPERTIES = (
    "Id",
    "LoadState",
    "ActiveState",
    "SubState",
    "Result",
    "StatusText",
    "StateChangeTimestamp",
    "NRestarts",
    "MainPID",
    "ControlGroup",
    "MemoryCurrent",
    "CPUUsageNSec",
    "ExecMainStartTimestampMonotonic",
    "WatchdogTimestampMonotonic",
    "InvocationID",
    "ExecMainStatus",
    "NeedDaemonReload",
)

_NOT_COUNTED = 2**64 - 1
"""What older versions of systemd show of a figure that nothing counts; newer ones say `[not set]` or `[no data]`."""

_BOOTED = Path("/run/systemd/system")
"""There exactly where systemd is the first process: sd_booted(3)."""


class UnitState(NamedTuple):
    """What systemd says of one unit."""

    unit: str
    properties: Mapping[str, str]

    @property
    def is_installed(self) -> bool:
        """There is a unit file."""
        return self.properties.get("LoadState") not in ("not-found", None)

    @property
    def active(self) -> str:
        """active, activating, deactivating, inactive, failed or reloading."""
        return self.properties.get("ActiveState", "inactive")

    @property
    def sub(self) -> str:
        """The finer state: running, auto-restart, start, dead and so on."""
        return self.properties.get("SubState", "dead")

    @property
    def status_text(self) -> str:
        """The last STATUS that the service sent."""
        return self.properties.get("StatusText", "")

    def number(self, name: str) -> int | None:
        """A property that is a number, or None where systemd has none."""
        text = self.properties.get(name, "")
        return int(text) if text.isdigit() and int(text) != _NOT_COUNTED else None


def manager_answers() -> bool:
    """Whether the manager answers on the bus."""
    try:
        asked = _systemctl("show", "--property=Version", "--value")
    except ControlError:
        return False
    return asked.returncode == 0 and asked.stdout.strip() != ""


def version() -> int:
    """systemd's: of the manager that answers, else of the program; 0 where there is none."""
    try:
        told = manager_property("Version") or _systemctl("--version").stdout
    except ControlError:
        return 0
    # `252.39-1~deb12u2` of the manager, `systemd 252 (252.39-1~deb12u2)` and more of the program.
    found = re.search(r"\d+", told)
    return int(found[0]) if found else 0


def manager_property(name: str) -> str:
    """What the manager says of itself, as `Version`; empty where it says nothing."""
    return _systemctl("show", f"--property={name}", "--value").stdout.strip()


def require_manager() -> None:
    """Raise where no manager answers.

    Raises:
        ControlError: there is none.
    """
    if not manager_answers():
        raise no_manager()


def no_manager() -> ControlError:
    """The error for a machine without a user manager: it says which of the usual reasons it is."""
    import shutil  # here: it brings compression along, which would slow down every command

    if shutil.which("systemctl") is None or not _BOOTED.exists():
        why, next_command = "systemd does not run this machine", "juniper-ctl demo"
    elif scope.chosen() == "system":
        why, next_command = "nothing answers on the system bus", "systemctl --system is-system-running"
    elif not _runtime_folder().exists():
        why, next_command = f"there is no {_runtime_folder()}", "loginctl enable-linger"
    else:
        why, next_command = f"nothing answers below {_runtime_folder()}", "systemctl status user@$(id -u).service"
    return ControlError(
        f"no systemd {scope.chosen()} manager answers: {why}", next_command=next_command, code=Exit.NO_BUS
    )


def not_installed() -> ControlError:
    """The error for a host on which systemd knows none of our units."""
    return ControlError("no unit of Juniper is installed", next_command="juniper-ctl install", code=Exit.UNKNOWN_UNIT)


def show(units: Sequence[str]) -> list[UnitState]:
    """Ask once for the states of all `units`.

    Raises:
        ControlError: no manager answers.
    """
    asked = _systemctl("show", "--timestamp=unix", *units, "--property=" + ",".join(PROPERTIES))
    if asked.returncode != 0:
        raise no_manager()
    blocks = asked.stdout.strip("\n").split("\n\n")
    return [
        UnitState(unit, dict(_assignment(line) for line in block.splitlines()))
        for unit, block in zip(units, blocks, strict=True)
    ]


def tell(verb: str, *arguments: str, next_command: str = "juniper-ctl status") -> None:
    """Have systemd do something and wait until it is done, if systemctl waits for it.

    Raises:
        ControlError: it refused, or it failed.
    """
    told = _systemctl(verb, *arguments)
    if told.returncode == 0:
        return
    reason = told.stderr.strip() or f"systemctl {verb} ended with {told.returncode}"
    if any(words in reason for words in ("not found", "not loaded", "does not exist")):
        # Of all units of a call it says the same, a line each.
        raise ControlError(
            f"the units are not installed: {reason.splitlines()[0]}",
            next_command="juniper-ctl install",
            code=Exit.UNKNOWN_UNIT,
        )
    if "connect to bus" in reason.lower():
        raise no_manager()
    if any(words in reason.lower() for words in ("access denied", "authentication required")):
        raise ControlError(reason, next_command=next_command, code=Exit.PERMISSION)
    raise ControlError(reason, next_command=next_command)


def _assignment(line: str) -> tuple[str, str]:
    name, _, value = line.partition("=")
    return name, value


def _runtime_folder() -> Path:
    # su, sudo and cron set no XDG_RUNTIME_DIR, although the manager runs.
    return Path(os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}")


def _systemctl(verb: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    # C: what it says is compared above, and the time stamps are read.
    environment = os.environ | {"LC_ALL": "C.UTF-8", "SYSTEMD_COLORS": "0", "XDG_RUNTIME_DIR": str(_runtime_folder())}
    try:
        return subprocess.run(
            ["systemctl", f"--{scope.chosen()}", "--no-pager", "--no-ask-password", verb, *arguments],
            capture_output=True,
            text=True,
            env=environment,
            check=False,
        )
    except FileNotFoundError:
        raise no_manager() from None
