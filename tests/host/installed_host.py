"""Juniper on a booted host: installed from a bundle of these sources, and seen over ssh as the user `juniper`."""

import subprocess
import sys
from pathlib import Path

import testinfra
from testinfra.host import Host

from tests.host.booted_host import USER, BootedHost

ROOT = Path(__file__).resolve().parents[2]
JUNIPER_CTL = "bundle/scripts/juniper-ctl"


def seen_by_user(machine: BootedHost) -> Host:
    """The host as the user `juniper` sees it, over ssh."""
    return testinfra.get_host(
        f"ssh://{USER}@{machine.address}",
        ssh_identity_file=str(machine.key),
        ssh_extra_args=" ".join(machine.ssh_options),
    )


def make_bundle(folder: Path) -> None:
    """Make a bundle of the sources under test."""
    subprocess.run([sys.executable, str(ROOT / "scripts/juniper-ctl"), "bundle", str(folder)], check=True)


def install(machine: BootedHost, host: Host, bundle: Path) -> None:
    """Install a release; nothing is started."""
    machine.copy_folder(bundle, "bundle")
    installed = host.run(f"{JUNIPER_CTL} install")
    assert installed.rc == 0, installed.stderr
