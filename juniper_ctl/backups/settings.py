"""What backups are told: `JUNIPER_BACKUP_…` in juniper.env, or in the environment."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from juniper_ctl.env_file import common
from juniper_ctl.errors import ControlError, Exit
from juniper_ctl.locations import Locations
from juniper_ctl.services import DATA

FOLDER = "JUNIPER_BACKUP_DIR"
KEEP_LAST = "JUNIPER_BACKUP_KEEP_LAST"
KEEP_WEEKLY = "JUNIPER_BACKUP_KEEP_WEEKLY"
KEEP_MONTHLY = "JUNIPER_BACKUP_KEEP_MONTHLY"

DEFAULTS: Mapping[str, str] = {FOLDER: "", KEEP_LAST: "7", KEEP_WEEKLY: "4", KEEP_MONTHLY: "6"}
"""Every name, and what it is where nothing is said."""


@dataclass(frozen=True, slots=True)
class BackupSettings:
    """Where backups lie, and how many of them stay: the last, and the newest of each of the last weeks and months."""

    folder: Path
    keep_last: int
    keep_weekly: int
    keep_monthly: int

    @classmethod
    def read(cls, environment: Mapping[str, str], locations: Locations) -> "BackupSettings":
        """What juniper.env says, and the environment in its place.

        Raises:
            ControlError: a number is none.
        """
        told = common(locations)
        values = {name: environment.get(name) or told.get(name) or default for name, default in DEFAULTS.items()}
        folder = values[FOLDER]
        return cls(
            # Where systemd has the folder of the unit that backs up, which need not be there yet.
            folder=Path(folder).expanduser() if folder else locations.state_of(DATA.name).with_name("backups"),
            keep_last=_count(values, KEEP_LAST, least=1),
            keep_weekly=_count(values, KEEP_WEEKLY, least=0),
            keep_monthly=_count(values, KEEP_MONTHLY, least=0),
        )


def _count(values: Mapping[str, str], name: str, least: int) -> int:
    text = values[name]
    if not (text.isascii() and text.isdigit() and int(text) >= least):
        raise ControlError(
            f"{name}={text} is no number from {least} on",
            next_command=f"unset {name}, or set it to another in juniper.env",
            code=Exit.CONFIGURATION,
        )
    return int(text)
