"""What a release can be made of: a checkout and a registry, or a bundle alone."""

import hashlib
import json
import sysconfig
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from juniper_ctl import pip
from juniper_ctl.checkout import Checkout
from juniper_ctl.errors import ControlError, Exit

EXTRAS = ("gpu", "redis", "postgres", "hub")


class ReleaseSource(Protocol):
    """Something that fills an empty environment."""

    @property
    def root(self) -> Path:
        """The folder with `systemd/` and `conf/`."""

    @property
    def version(self) -> str:
        """The project's version."""

    @property
    def digest(self) -> str:
        """Tells two states of the sources apart."""

    @property
    def extras(self) -> Sequence[str]:
        """The optional dependencies that come with it."""

    @property
    def python(self) -> str | None:
        """The only Python version that it works for; None: any."""

    def install_into(self, environment: Path) -> None:
        """Install the project and all it needs into a virtual environment without pip.

        Raises:
            ControlError: that failed.
        """


@dataclass(frozen=True, slots=True)
class CheckoutSource:
    """A checkout, with the dependencies from the registry at the pinned versions."""

    checkout: Checkout
    extras: Sequence[str]
    python: str | None = None

    @property
    def root(self) -> Path:
        """The checkout."""
        return self.checkout.root

    @property
    def version(self) -> str:
        """The project's version."""
        return self.checkout.version()

    @property
    def digest(self) -> str:
        """Of the sources."""
        return self.checkout.digest()

    def install_into(self, environment: Path) -> None:
        """Build the project's wheel and install it."""
        constraints = self.root / "constraints.txt"
        install = ("install", "--no-compile", "--constraint", constraints)
        with tempfile.TemporaryDirectory(prefix="juniper-") as folder:
            wheel = pip.build_project(self.checkout, Path(folder))
            if "gpu" in self.extras:
                torch = pip.pinned(constraints, "torch")
                pip.for_environment(self.checkout, environment, *install, torch, what="installing torch")
            project = f"juniper[{','.join(self.extras)}] @ {wheel.as_uri()}"
            pip.for_environment(self.checkout, environment, *install, project, what="installing the release")


@dataclass(frozen=True, slots=True)
class Bundle:
    """A folder that `juniper-ctl bundle` made: wheels, checksums, unit files. It needs no registry."""

    root: Path
    version: str
    digest: str
    extras: Sequence[str]
    python: str
    platform: str

    DESCRIPTION = "bundle.json"
    """Written last: without it the bundle is not whole."""

    @classmethod
    def open(cls, root: Path) -> "Bundle":
        """Read a bundle's description.

        Raises:
            ControlError: it is none, or it is for another kind of machine.
        """
        try:
            description = json.loads((root / cls.DESCRIPTION).read_text(encoding="utf-8"))
            bundle = cls(
                root=root.resolve(),
                version=str(description["version"]),
                digest=str(description["digest"]),
                extras=tuple(str(extra) for extra in description["extras"]),
                python=str(description["python"]),
                platform=str(description["platform"]),
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ControlError(
                f"{root} is no whole bundle: {error}",
                next_command=f"juniper-ctl bundle {root}",
                code=Exit.CONFIGURATION,
            ) from None
        if bundle.platform != sysconfig.get_platform():
            raise ControlError(
                f"{root} is for {bundle.platform}, and this machine is {sysconfig.get_platform()}",
                next_command=f"juniper-ctl bundle {root}   (on a machine of this kind)",
                code=Exit.CONFIGURATION,
            )
        return bundle

    def describe(self) -> str:
        """What `open` reads."""
        description = {name: getattr(self, name) for name in ("version", "digest", "extras", "python", "platform")}
        return json.dumps(description, indent=2) + "\n"

    @property
    def wheels(self) -> Path:
        """All wheels."""
        return self.root / "wheels"

    @property
    def requirements(self) -> Path:
        """Each of them with its checksum."""
        return self.root / "requirements.txt"

    def install_into(self, environment: Path) -> None:
        """Install exactly the wheels, each against its checksum; pip is one of them and runs as it lies there."""
        own_pip = next(self.wheels.glob("pip-*.whl"))
        checksum = hashlib.sha256(own_pip.read_bytes()).hexdigest()
        if f"sha256:{checksum}" not in self.requirements.read_text(encoding="utf-8"):
            raise ControlError(
                f"{own_pip} is not the file that {self.requirements} names",
                next_command=f"juniper-ctl bundle {self.root}",
            )
        pip.run(
            (
                *(environment / "bin/python", own_pip / "pip", "--isolated", "--quiet", "--disable-pip-version-check"),
                *("install", "--no-index", "--find-links", self.wheels, "--require-hashes", "--no-deps"),
                *("--no-compile", "--no-cache-dir", "--no-warn-script-location", "--requirement", self.requirements),
            ),
            what="installing the bundle",
            next_command=f"juniper-ctl bundle {self.root}",
        )
