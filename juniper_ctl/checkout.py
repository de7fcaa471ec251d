"""The sources that this program runs from: a clone of the repository, or what a bundle carries of it."""

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from juniper_ctl.errors import ControlError, Exit

_STANDARD_ERROR = 2
_BUILT_FROM = ("pyproject.toml", "constraints.txt", "README.md", "LICENSE")
_FOLDERS = ("juniper_common", "juniper_ctl", "juniper_data", "juniper_cascor", "juniper_canopy", "systemd", "conf")


@dataclass(frozen=True, slots=True)
class Checkout:
    """A clone of the repository, in any state of editing."""

    root: Path

    @classmethod
    def find(cls) -> "Checkout | None":
        """The one that this module lies in; None when it is installed."""
        root = Path(__file__).resolve().parents[1]
        return cls(root) if (root / "pyproject.toml").is_file() else None

    @classmethod
    def require(cls) -> "Checkout":
        """The same, for commands that make no sense without.

        Raises:
            ControlError: there is none.
        """
        found = cls.find()
        if found is None:
            raise ControlError(
                "this takes a checkout of the repository, and the juniper-ctl that runs here is an installed one",
                next_command="cd CHECKOUT && scripts/juniper-ctl --help",
                code=Exit.USAGE,
            )
        return found

    @property
    def environment(self) -> Path:
        """The environment that `scripts/setup` makes."""
        return self.root / ".venv"

    def set_up(self, *arguments: str) -> None:
        """Run `scripts/setup`, which says itself what it does, on standard error.

        Raises:
            ControlError: it failed; it has said why.
        """
        script = self.root / "scripts/setup"
        if not script.exists():
            raise ControlError(
                f"{self.root} is a bundle: it can be installed, but not run in the foreground",
                next_command="juniper-ctl install",
                code=Exit.USAGE,
            )
        environment = dict(os.environ)
        if sys.prefix == sys.base_prefix:
            environment.setdefault("PYTHON", sys.executable)
        # Not on standard output: whoever asked for --json reads a document there.
        ended = subprocess.run([script, *arguments], env=environment, stdout=_STANDARD_ERROR, check=False)
        if ended.returncode != 0:
            raise ControlError("scripts/setup failed", next_command="scripts/setup")

    def version(self) -> str:
        """The project's version, which the code itself says."""
        text = (self.root / "juniper_common/__init__.py").read_text(encoding="utf-8")
        found = re.search(r'^__version__ = "(.+)"$', text, re.MULTILINE)
        if found is None:
            raise ControlError("juniper_common says no __version__", next_command="git status")
        return found[1]

    def files(self) -> Iterator[Path]:
        """What an installation is made from, relative to the root, in a fixed order."""
        for name in _BUILT_FROM:
            if (self.root / name).is_file():
                yield Path(name)
        for folder in _FOLDERS:
            for path in sorted((self.root / folder).rglob("*")):
                if path.is_file() and "__pycache__" not in path.parts:
                    yield path.relative_to(self.root)

    def digest(self) -> str:
        """A checksum of those files: it tells two states of the sources apart, committed or not."""
        total = hashlib.sha256()
        for path in self.files():
            content = hashlib.sha256((self.root / path).read_bytes()).hexdigest()
            total.update(f"{content} {path}\n".encode())
        return total.hexdigest()


def version_of_this_program() -> tuple[str, str]:
    """What a person tells when something is wrong: the version, and the folder that this program lies in."""
    checkout = Checkout.find()
    if checkout is None:
        return Path(sys.prefix).name, sys.prefix
    if (checkout.root / "juniper_common").is_dir():
        return f"{checkout.version()}+{checkout.digest()[:12]}", str(checkout.root)
    return "bundle", str(checkout.root)
