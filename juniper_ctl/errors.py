"""How a command ends: the exit codes, and the error that carries one and says what to type next."""

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


class ControlError(Exception):
    """A command that cannot go on: one or a few lines for a person, and the command to type next.

    `next_command` may begin with `juniper-ctl`; it is shown as the person called the program.
    """

    def __init__(self, message: str, *, next_command: str, code: Exit = Exit.FAILED) -> None:
        super().__init__(message)
        self.message = message
        self.next_command = next_command
        self.code = code
