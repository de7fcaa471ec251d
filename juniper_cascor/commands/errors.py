"""How a command ends: the exit codes, and the error that carries one and says what to type next."""

from enum import IntEnum
from pathlib import Path


class Exit(IntEnum):
    """Those from 64 on are sysexits.h's; 130 is what a shell says of a program that Ctrl-C ended."""

    OK = 0
    FAILED = 1
    USAGE = 64
    BAD_DATA = 65
    NO_INPUT = 66
    NO_OUTPUT = 73
    INTERRUPTED = 130


class CommandError(Exception):
    """A command that cannot go on: one line for a person.

    Attributes:
        message: What is wrong.
        next_step: What to type, or to correct, next.
        code: What the process ends with.
    """

    def __init__(self, message: str, *, next_step: str, code: int) -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step
        self.code = code


def bad_data(path: Path, problem: str, next_step: str) -> CommandError:
    """The error of a file whose content is of no use."""
    return CommandError(f"{path}: {problem}", next_step=next_step, code=Exit.BAD_DATA)


def first_line(error: Exception) -> str:
    """What an error says, less the arrays that NumPy and scikit-learn print below."""
    return str(error).partition("\n")[0].rstrip(":")
