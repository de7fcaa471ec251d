"""A restore that is decided: written down before anything is moved, so that whoever is killed in it is taken up.

Until then the services' states are as they were, and from then on the next call brings all of them to the new one.
"""

import ctypes
import errno
import fcntl
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from juniper_ctl.backups.folder import BackupFolder, sync
from juniper_ctl.errors import ControlError
from juniper_ctl.release import write_atomically

FILE_NAME = ".restore.json"

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


@dataclass(frozen=True, slots=True)
class Exchange:
    """One service's state, and what takes its place."""

    service: str
    state: str
    staging: str
    """A folder beside it: the new state, and for a moment the old one."""
    aside: str
    """Where the old one stays."""
    inode: int
    """Of the new one, wherever it is."""

    def carry_out(self) -> None:
        """Bring the new state into its place, from wherever an earlier call was interrupted. Raises OSError."""
        state, staging, aside = Path(self.state), Path(self.staging), Path(self.aside)
        if not (state.exists() and state.stat().st_ino == self.inode):
            if not state.exists():
                staging.rename(state)
            elif not _exchanged(staging, state):
                state.rename(aside)
                staging.rename(state)
        if staging.exists():
            staging.rename(aside)
        sync(state.parent)


@dataclass(frozen=True, slots=True)
class RestorePlan:
    """What is to be done still."""

    name: str
    exchanges: Sequence[Exchange]
    to_start: Sequence[str]
    """The services that ran."""

    @classmethod
    def read(cls, folder: BackupFolder) -> "RestorePlan | None":
        """The one that an interrupted call left."""
        path = folder.path / FILE_NAME
        if not path.is_file():
            return None
        told = json.loads(path.read_text(encoding="utf-8"))
        names = [field.name for field in fields(Exchange)]  # A later release may have written more.
        exchanges = [Exchange(**{name: each[name] for name in names}) for each in told["exchanges"]]
        return cls(told["name"], exchanges, told["to_start"])

    def write(self, folder: BackupFolder) -> None:
        """Decide."""
        write_atomically(folder.path / FILE_NAME, json.dumps(asdict(self), indent=1) + "\n", mode=0o600)
        sync(folder.path)

    @staticmethod
    def forget(folder: BackupFolder) -> None:
        """It is done."""
        (folder.path / FILE_NAME).unlink()
        sync(folder.path)


def refuse_unfinished(folder: BackupFolder) -> None:
    """Raise where a restore was interrupted: the services' states are not of one time.

    Raises:
        ControlError: that is so.
    """
    plan = RestorePlan.read(folder)
    if plan is not None:
        raise ControlError(
            f"the restore of {plan.name} was interrupted", next_command=f"juniper-ctl restore{folder.named_by}"
        )


def refuse_in_use(service: str, state: Path) -> None:
    """Raise where a service that systemd does not know of uses its state.

    Raises:
        ControlError: that is so.
    """
    lock = state / ".lock"
    if not lock.exists():
        return
    # The service may have put a link or a pipe there: neither is followed, nor waited for.
    descriptor = os.open(lock, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise ControlError(
            f"{service} runs, and not as a unit of this systemd", next_command=f"fuser -v {lock}   (who it is)"
        ) from None
    finally:
        os.close(descriptor)


def _exchanged(one: Path, other: Path) -> bool:
    """Let two folders change names in one step; false where the file system does not know how."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.renameat2(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP):
        return False
    raise OSError(number, os.strerror(number), str(one), None, str(other))
