"""The commands that docs pages tell a person to type: each line of each `sh` block, and how it is to end."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"

HOW_TO = tuple(f"{name}.md" for name in ("install", "configure", "operate", "upgrade", "secure", "troubleshoot"))
"""The pages for the person who runs a host."""

PAGES = (*HOW_TO, "backup.md", "host-and-logs.md")
"""All whose `sh` blocks are run on a booted host."""

_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_ENDS = re.compile(r"# ends with (\d+)")
_ENDLESS = re.compile(r"juniper-ctl .* (-f|--watch)\b")


@dataclass(frozen=True, slots=True)
class Command:
    """One that is typed: a line, and those that continue it behind a backslash."""

    text: str

    @property
    def exit_code(self) -> int:
        """How it is to end: as its comment says, else well."""
        said = _ENDS.search(self.text)
        return int(said[1]) if said else 0

    @property
    def is_endless(self) -> bool:
        """It goes on until Ctrl-C."""
        return _ENDLESS.search(self.text) is not None

    @property
    def as_root(self) -> str | None:
        """What root is to run; None: it is the user's own."""
        return self.text.removeprefix("sudo ") if self.text.startswith("sudo ") else None


def commands_of(text: str) -> Iterator[Command]:
    """Those of a page, in its order."""
    for block in _BLOCK.findall(text):
        for line in re.split(r"(?<!\\)\n", block):
            if line and not line.startswith("#"):
                yield Command(line)
