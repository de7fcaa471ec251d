"""How a command ends: the exit codes, and the error that carries one and says what to type next."""

from collections.abc import Mapping
from enum import IntEnum


class Exit(IntEnum):
    """Exit codes of `juniper-ctl`; those from 64 on are sysexits.h's."""

    OK = 0
    FAILED = 1
    DEGRADED = 2
    STOPPED = 3
    UNKNOWN_UNIT = 4
    USAGE = 64
    NO_BUS = 69
    TIMEOUT = 75
    PERMISSION = 77
    CONFIGURATION = 78
    INTERRUPTED = 130


MEANINGS: Mapping[Exit, str] = {
    Exit.OK: "done; of services: all are ready",
    Exit.FAILED: "it failed; of services: one has failed",
    Exit.DEGRADED: "only in part; of services: one is not ready",
    Exit.STOPPED: "no service runs",
    Exit.UNKNOWN_UNIT: "there is no such service, or nothing is installed",
    Exit.USAGE: "the command line is wrong, or wrong here",
    Exit.NO_BUS: "no systemd manager answers",
    Exit.TIMEOUT: "not in time, or not now: a port is taken",
    Exit.PERMISSION: "it is not allowed",
    Exit.CONFIGURATION: "a setting is wrong, or something that must be there is missing",
    Exit.INTERRUPTED: "ended by Ctrl-C",
}
"""Whatever the command is; in the order of the codes."""

COMMON = (Exit.OK, Exit.FAILED, Exit.USAGE, Exit.PERMISSION, Exit.INTERRUPTED)
"""How every command may end."""


class ControlError(Exception):
    """A command that cannot go on: one or a few lines for a person, and the command to type next.

    `next_command` may begin with `juniper-ctl`; it is shown as the person called the program.
    """

    def __init__(self, message: str, *, next_command: str, code: Exit = Exit.FAILED) -> None:
        super().__init__(message)
        self.message = message
        self.next_command = next_command
        self.code = code
