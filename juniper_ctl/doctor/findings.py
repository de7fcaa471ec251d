"""What a section of `juniper-ctl doctor` finds."""

from dataclasses import dataclass
from typing import Literal

from juniper_ctl.progress import program_as_typed

Level = Literal["ok", "absent", "unknown", "wrong"]
"""`absent`: what need not be there is not; `unknown`: it could not be looked at; `wrong`: what should work does not."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line for a person, and what to type next where there is something to do."""

    level: Level
    text: str
    next_command: str = ""

    def shown(self) -> str:
        """For a terminal."""
        then = self.next_command.replace("juniper-ctl", program_as_typed(), 1)
        return f"{self.level:<7} {self.text}" + (f"\n  next: {then}" if then else "")
