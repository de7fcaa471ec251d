"""Shows what the services wrote: from the journal, or from the files of a demo in the foreground."""

import os
import shutil
from collections.abc import Sequence
from typing import NoReturn

from juniper_ctl import systemctl
from juniper_ctl.errors import ControlError
from juniper_ctl.locations import Locations
from juniper_ctl.services import SERVICES, Service


def logs(services: Sequence[Service], *, lines: int, follow: bool, since: str | None) -> NoReturn:
    """Become `journalctl` or, where no user manager runs, `tail`.

    Raises:
        ControlError: there is nothing to show.
    """
    command = (
        journal_command(services, lines=lines, follow=follow, since=since)
        if systemctl.manager_answers() and shutil.which("journalctl")
        else _tail_command(services, lines=lines, follow=follow)
    )
    os.execvp(command[0], command)  # noqa: S606 - no shell is wanted


def journal_command(services: Sequence[Service], *, lines: int, follow: bool, since: str | None) -> list[str]:
    """The call that shows this user's lines of the services; with all of them the alerts too."""
    command = ["journalctl", "--no-hostname", f"_UID={os.getuid()}"]
    identifiers = [service.command for service in services]
    if tuple(services) == SERVICES:
        identifiers.append("juniper-alert")
    for identifier in identifiers:
        command += ["--identifier", identifier]
    command += ["--since", since] if since else ["--lines", str(lines)]
    return [*command, "--follow"] if follow else [*command, "--no-pager"]


def _tail_command(services: Sequence[Service], *, lines: int, follow: bool) -> list[str]:
    folder = Locations.of(os.environ).logs
    files = [str(path) for service in services if (path := folder / f"{service.name}.log").is_file()]
    if not files:
        raise ControlError(
            f"no systemd user manager answers, and there is no log in {folder}", next_command="juniper-ctl demo"
        )
    return ["tail", "-n", str(lines), *(["-F"] if follow else []), "--", *files]
