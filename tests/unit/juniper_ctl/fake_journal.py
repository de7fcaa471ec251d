"""A stand-in for `journalctl`: prints the entries that a test set, and keeps how it was called."""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_PROGRAM = """#!{python} -IS
import pathlib, sys

folder = pathlib.Path({folder!r})
(folder / "call").write_text("\\n".join(sys.argv[1:]))
sys.stdout.write((folder / "entries").read_text())
complaint = (folder / "complaint").read_text()
if complaint:
    sys.exit(complaint)
"""


@dataclass(frozen=True)
class FakeJournal:
    """Set what it has, run the code under test, read the call."""

    folder: Path

    @classmethod
    def install(cls, folder: Path) -> "FakeJournal":
        """Put the program into `folder`/bin, which the test puts on PATH. The journal is empty at first."""
        (folder / "bin").mkdir(parents=True)
        program = folder / "bin/journalctl"
        program.write_text(_PROGRAM.format(python=os.path.realpath(sys.executable), folder=str(folder)))
        program.chmod(0o755)
        fake = cls(folder)
        fake.has()
        fake.complains("")
        return fake

    def has(self, *entries: Mapping[str, object]) -> None:
        """These, in the order in which it tells them."""
        time = {"__REALTIME_TIMESTAMP": "1795777757962881"}
        (self.folder / "entries").write_text("".join(f"{json.dumps({**time, **entry})}\n" for entry in entries))

    def complains(self, complaint: str) -> None:
        """It fails with this on standard error; empty: it does not."""
        (self.folder / "complaint").write_text(complaint)

    def call(self) -> list[str]:
        """The words of the last call."""
        return (self.folder / "call").read_text().splitlines()
