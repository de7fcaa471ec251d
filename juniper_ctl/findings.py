"""What a section of `juniper-ctl doctor` finds."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "absent", "unknown", "wrong"]
"""`absent`: what need not be there is not; `unknown`: it could not be looked at; `wrong`: what should work does not."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line for a person, and what to type next where there is something to do."""

    level: Level
    text: str
    next_command: str = ""
