"""A bundle whose project is a few lines: the real pip installs it in seconds."""

import base64
import ensurepip
import hashlib
import shutil
import sysconfig
import zipfile
from pathlib import Path

from juniper_ctl.bundle import requirements
from juniper_ctl.release_source import Bundle

_PROGRAMS = ("juniper-data", "juniper-cascor", "juniper-canopy", "juniper-ctl")
_SEEDS = (Path(ensurepip.__file__).parent / "_bundled", Path("/usr/share/python-wheels"))
"""Where Python, and where Debian, keeps the pip that new environments get."""


def make(root: Path, *, python: str, digest: str = "d" * 64) -> Bundle:
    """Write a bundle with a wheel of the project, pip, unit files and the example of the settings."""
    bundle = Bundle(root, "0.0.1", digest, (), python, sysconfig.get_platform())
    bundle.wheels.mkdir(parents=True)
    _write_wheel(bundle.wheels / "juniper-0.0.1-py3-none-any.whl")
    pip = next(wheel for folder in _SEEDS for wheel in folder.glob("pip-*.whl"))
    shutil.copy(pip, bundle.wheels)
    bundle.requirements.write_text(requirements(sorted(bundle.wheels.glob("*.whl"))))
    units = {
        "juniper-data.service": "[Service]\nExecStart=/bin/true\n",
        "juniper-data-sweep.timer": "[Timer]\n",
        "juniper-cascor.service": "[Service]\nExecStart=/bin/true\n",
        "juniper-canopy.service": "[Service]\nExecStart=/bin/true\n",
        "juniper-.service.d/30-host-only.conf": "[Service]\nProtectKernelLogs=yes\n",
        "juniper-.service.d/40-newer.since-254.conf": "[Service]\nRestartSteps=4\n",
    }
    for name, text in units.items():
        path = root / "systemd/user" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (root / "conf").mkdir()
    (root / "conf/juniper.env.example").write_text("# settings\n")
    (root / Bundle.DESCRIPTION).write_text(bundle.describe())
    return bundle


def _write_wheel(path: Path) -> None:
    info = "juniper-0.0.1.dist-info"
    files = {
        "juniper_small.py": "def main() -> None:\n    print('here')\n",
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: juniper\nVersion: 0.0.1\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": "[console_scripts]\n"
        + "".join(f"{name} = juniper_small:main\n" for name in _PROGRAMS),
    }
    lines = [f"{name},sha256={_checksum(text)},{len(text)}" for name, text in files.items()]
    files[f"{info}/RECORD"] = "\n".join([*lines, f"{info}/RECORD,,"]) + "\n"
    with zipfile.ZipFile(path, "w") as wheel:
        for name, text in files.items():
            wheel.writestr(name, text)


def _checksum(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
