"""Makes a bundle: a folder from which a host without a registry installs Juniper, and this program with it."""

import dataclasses
import hashlib
import shutil
import sysconfig
import tempfile
from collections.abc import Sequence
from pathlib import Path

from juniper_ctl import interpreter, pip
from juniper_ctl.checkout import Checkout
from juniper_ctl.errors import ControlError, Exit
from juniper_ctl.progress import Report, print_json, say, say_nothing
from juniper_ctl.release import write_atomically
from juniper_ctl.release_source import Bundle

_TOOL = ("juniper_ctl", "systemd", "conf", "pyproject.toml", "scripts/juniper-ctl")
"""What a host needs beside the wheels, at the places where a checkout has it."""


def make_bundle(folder: Path | None, *, extras: Sequence[str], python: Path | None, as_json: bool = False) -> Exit:
    """Make a bundle in `folder`, by default below `dist/`, for the Python that hosts of this kind use.

    Raises:
        ControlError: pip failed, or the folder holds something else.
    """
    checkout = Checkout.require()
    if (checkout.root / Bundle.DESCRIPTION).is_file():
        raise ControlError(f"{checkout.root} is a bundle itself", next_command="juniper-ctl install", code=Exit.USAGE)
    checkout.set_up()
    chosen = interpreter.for_release(given=python)
    target = folder or checkout.root / "dist" / f"juniper-{checkout.version()}-py{chosen.tag}"
    bundle = Bundle(
        root=target.resolve(),
        version=checkout.version(),
        digest=checkout.digest(),
        extras=tuple(sorted(extras)),
        python=chosen.tag,
        platform=sysconfig.get_platform(),
    )
    report = say_nothing if as_json else say
    is_made = _is_made(bundle)
    if is_made:
        report("bundle", f"{target} is of these sources already, nothing changed")
    else:
        _make(bundle, checkout, chosen, report)
    if as_json:
        sizes = [path.stat().st_size for path in bundle.wheels.iterdir()]
        told = {"folder": str(bundle.root), "version": bundle.version, "wheels": len(sizes), "bytes": sum(sizes)}
        print_json({"verdict": "ok", "changes": not is_made, **told})
    return Exit.OK


def _make(bundle: Bundle, checkout: Checkout, python: interpreter.Interpreter, report: Report) -> None:
    _clear(bundle.root)
    report("bundle", f"collecting wheels for Python {python.tag}")
    _collect_wheels(checkout, bundle, python)
    _copy_tool(checkout, bundle.root)
    write_atomically(bundle.requirements, requirements(sorted(bundle.wheels.glob("*.whl"))))
    write_atomically(bundle.root / Bundle.DESCRIPTION, bundle.describe())
    size = sum(path.stat().st_size for path in bundle.wheels.iterdir()) / 2**20
    report("bundle", f"{bundle.root}: {len(list(bundle.wheels.iterdir()))} wheels, {size:.0f} MiB")
    report("next", f"copy it to a host, and there: {bundle.root.name}/scripts/juniper-ctl install")


def requirements(wheels: Sequence[Path]) -> str:
    """A requirements file that takes exactly these wheels, by their checksums."""
    lines = []
    for wheel in wheels:
        name, version = wheel.name.split("-")[:2]
        checksum = hashlib.sha256(wheel.read_bytes()).hexdigest()
        lines.append(f"{name.replace('_', '-').lower()}=={version} --hash=sha256:{checksum}\n")
    return "".join(lines)


def _is_made(bundle: Bundle) -> bool:
    if not (bundle.root / Bundle.DESCRIPTION).is_file():
        return False
    there = Bundle.open(bundle.root)
    return dataclasses.replace(there, root=bundle.root) == bundle


def _clear(target: Path) -> None:
    if not target.exists():
        return
    ours = (target / Bundle.DESCRIPTION).is_file() or (target / "wheels").is_dir()
    if any(target.iterdir()) and not ours:
        raise ControlError(
            f"{target} holds something else", next_command="juniper-ctl bundle ANOTHER-FOLDER", code=Exit.USAGE
        )
    # First it stops being whole, so that an interruption leaves nothing that looks so.
    (target / Bundle.DESCRIPTION).unlink(missing_ok=True)
    shutil.rmtree(target)


def _collect_wheels(checkout: Checkout, bundle: Bundle, python: interpreter.Interpreter) -> None:
    constraints = checkout.root / "constraints.txt"
    bundle.wheels.mkdir(parents=True)
    wheel = ("wheel", "--constraint", constraints, "--wheel-dir", bundle.wheels)
    project = pip.build_project(checkout, bundle.wheels)
    with tempfile.TemporaryDirectory(prefix="juniper-") as folder:
        # Wheels are chosen, and what comes as source is built, by the Python that will run them.
        environment = Path(folder) / "environment"
        venv = (python.path, "-I", "-m", "venv", "--without-pip", environment)
        pip.run(venv, what="making an environment", next_command="apt-get install python3-venv")
        setuptools = ("install", pip.pinned(constraints, "setuptools"))
        pip.for_environment(checkout, environment, *setuptools, what="installing setuptools")
        if "gpu" in bundle.extras:
            torch = pip.pinned(constraints, "torch")
            pip.for_environment(checkout, environment, *wheel, torch, what="collecting torch")
        wanted = (f"juniper[{','.join(bundle.extras)}] @ {project.as_uri()}", pip.pinned(constraints, "pip"))
        pip.for_environment(
            checkout, environment, *wheel, "--no-build-isolation", *wanted, what="collecting the wheels"
        )


def _copy_tool(checkout: Checkout, into: Path) -> None:
    for name in _TOOL:
        source, target = checkout.root / name, into / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
