"""Calls pip: the checkout's own, for an environment that has none itself."""

import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from juniper_ctl.checkout import Checkout
from juniper_ctl.errors import ControlError

_LAST_LINES = 8


def run(command: Sequence[str | Path], *, what: str, next_command: str, cwd: Path | None = None) -> None:
    """Run something that says much when it fails and nothing of interest else.

    Raises:
        ControlError: it failed; the last lines of what it said are in the message.
    """
    # A bundle is made, and a release installed, the same way whatever the person's pip settings ask of user folders.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    ended = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, cwd=cwd, env=environment
    )
    if ended.returncode != 0:
        lines = "".join(f"\n  | {line}" for line in ended.stdout.splitlines()[-_LAST_LINES:])
        raise ControlError(f"{what} failed:{lines}", next_command=next_command)


def for_environment(checkout: Checkout, environment: Path, *arguments: str | Path, what: str) -> None:
    """Call the checkout's pip on `environment`.

    Raises:
        ControlError: pip failed.
    """
    pip = (checkout.environment / "bin/python", "-m", "pip", "--python", environment / "bin/python", "--quiet")
    run((*pip, *arguments), what=what, next_command="scripts/setup")


def build_project(checkout: Checkout, into: Path) -> Path:
    """Build the project's wheel and return its path.

    It is built from a copy of what belongs to it: setuptools leaves a `build` folder behind, and would put modules
    that were removed since into the next wheel.
    """
    with tempfile.TemporaryDirectory(prefix="juniper-") as folder:
        copy_sources(checkout, Path(folder))
        pip = (checkout.environment / "bin/python", "-m", "pip", "--quiet")
        wheel = ("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", into, folder)
        run((*pip, *wheel), what="building the project's wheel", next_command="scripts/setup")
    return next(into.glob("juniper-*.whl"))


def copy_sources(checkout: Checkout, into: Path) -> None:
    """Copy what an installation is made from."""
    for path in checkout.files():
        target = into / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((checkout.root / path).read_bytes())


def pinned(constraints: Path, name: str) -> str:
    """The requirement `name==version` that the constraints file has.

    Raises:
        ControlError: it has none.
    """
    for line in constraints.read_text(encoding="utf-8").splitlines():
        if line.startswith(f"{name}=="):
            return line
    raise ControlError(f"{constraints} does not pin {name}", next_command=f"grep -n {name} {constraints}")
