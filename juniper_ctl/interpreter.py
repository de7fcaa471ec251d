"""Finds the Python that a release is made with: one that the services can see from inside their sandbox."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from juniper_ctl.errors import ControlError, Exit

HIDDEN = (Path("/home"), Path("/root"), Path("/run/user"))
"""What `ProtectHome=tmpfs` covers: a Python below, say of pyenv or uv, does not exist for the services."""

OLDEST = (3, 11)
_CANDIDATES = ("/usr/bin/python3", "/usr/local/bin/python3")


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python on this machine."""

    path: Path
    prefix: Path
    version: tuple[int, int]

    @property
    def tag(self) -> str:
        """3.11 and so on: what wheels depend on."""
        return ".".join(str(part) for part in self.version)

    def is_hidden(self, hidden: Sequence[Path] = HIDDEN) -> bool:
        """The services' sandbox hides it."""
        return any(place.is_relative_to(folder) for place in (self.path, self.prefix) for folder in hidden)


def ask(path: Path) -> Interpreter | None:
    """The interpreter at `path`, by its real path: an upgrade of `python3` must not change a release."""
    question = "import sys; print(sys.version_info[0], sys.version_info[1], sys.base_prefix)"
    try:
        answered = subprocess.run([path, "-I", "-c", question], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):  # it is none, or does not work: the next candidate may
        return None
    major, minor, prefix = answered.stdout.strip().split(" ", 2)
    return Interpreter(path.resolve(), Path(prefix).resolve(), (int(major), int(minor)))


def for_release(
    *, given: Path | None = None, wanted: str | None = None, hidden: Sequence[Path] = HIDDEN
) -> Interpreter:
    """The Python to make a release with: `given`, or the first that fits.

    Args:
        given: what the person named.
        wanted: the version that the wheels at hand are for, as `3.11`; None: any from 3.11 on.
        hidden: folders that the services do not see.

    Raises:
        ControlError: there is none.
    """
    found = [python for path in _paths(given) if (python := ask(path)) is not None]
    for python in found:
        fits = python.tag == wanted if wanted else python.version >= OLDEST
        if fits and not python.is_hidden(hidden):
            return python
    seen = ", ".join(f"{python.path} is {python.tag}{_why_not(python, hidden)}" for python in found) or "there is none"
    raise ControlError(
        f"no Python {wanted or '3.11 or newer'} that the services can use: {seen}",
        next_command="apt-get install python3   (or name one: juniper-ctl install --python /usr/bin/python3.12)",
        code=Exit.CONFIGURATION,
    )


def _paths(given: Path | None) -> Iterator[Path]:
    if given is not None:
        yield given
        return
    yield Path(sys.executable)
    for name in _CANDIDATES:
        yield Path(name)
    yield from sorted(Path("/usr/bin").glob("python3.[0-9][0-9]"), reverse=True)


def _why_not(python: Interpreter, hidden: Sequence[Path]) -> str:
    return " and below a folder that their sandbox hides" if python.is_hidden(hidden) else ""
