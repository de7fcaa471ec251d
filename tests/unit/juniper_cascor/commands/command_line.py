"""Runs a command in this process, as a person would type it."""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from juniper_cascor.__main__ import main


@dataclass(frozen=True)
class Ended:
    """What a command left."""

    code: int
    out: str
    err: str


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> Ended:
    """Type it; returns its exit code and what it said."""
    code = 0
    try:
        main([str(argument) for argument in arguments])
    except SystemExit as ended:
        code = int(ended.code or 0)
    said = capsys.readouterr()
    return Ended(code, said.out, said.err)


def refusal(capsys: pytest.CaptureFixture[str], *arguments: object, code: int) -> str:
    """The one line of a command that cannot go on, which ends with what to type next."""
    ended = run(capsys, *arguments)
    assert (ended.code, ended.out) == (code, "")
    (line,) = ended.err.splitlines()
    assert line.startswith("juniper-cascor: ")
    assert "; next: " in line
    return line.removeprefix("juniper-cascor: ")


def lines(*rows: Sequence[object]) -> str:
    """A CSV of these rows."""
    return "".join(",".join(map(str, row)) + "\n" for row in rows)
