"""Ansible's module `juniper_facts`: what a host has that Juniper needs to know before anything is installed."""

from __future__ import annotations

import ipaddress
import pwd
import re
import socket
import subprocess
import sysconfig
from collections.abc import Iterable
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: juniper_facts
short_description: What a host has that Juniper needs
description:
  - Tells the versions of systemd and of each Python that a release can be made with, and the NVIDIA GPUs.
options:
  account:
    description: The account of the services, which need not be there yet.
    type: str
    default: juniper
  addresses:
    description: Those that the host's services are to listen on.
    type: list
    elements: str
    default: []
  python:
    description: The Python that the services are to run with.
    type: path
  proc:
    description: Where the NVIDIA driver tells of itself.
    type: path
    default: /proc/driver/nvidia
  dev:
    description: Where device nodes are.
    type: path
    default: /dev
author: The Juniper project
"""

EXAMPLES = r"""
- name: Learn what the hosts have
  juniper_facts:
    addresses: [10.0.0.5]
  become: true
"""

RETURN = r"""
ansible_facts:
  description: All of them, below C(juniper).
  returned: always
  type: dict
  contains:
    juniper:
      description: The facts.
      returned: always
      type: dict
      sample:
        addresses: {10.0.0.9: no interface of the host has it}
        driver: 580.65.06
        gpus: 2
        has_gpu_node: true
        links: [/home/juniper/.config]
        platform: linux-x86_64
        pythons: {/usr/bin/python3: "3.11"}
        systemd: 252
"""

_PYTHONS = ("/usr/bin/python3", "/usr/local/bin/python3", "/usr/bin/python3.[0-9][0-9]")
"""Where juniper-ctl looks for one: the services' sandbox hides those in homes."""


def driver_of(text: str) -> str | None:
    """The driver's version in what `/proc/driver/nvidia/version` says, of the open kernel module or the other."""
    found = re.search(r"Kernel Module\s+(?:for \S+\s+)?(\d+(?:\.\d+)+)", text)
    return found[1] if found else None


_FOLDERS = (
    ".config",
    ".config/juniper",
    ".config/juniper/credentials",
    ".config/systemd",
    ".config/systemd/user",
    ".local",
    ".local/lib",
    ".local/lib/juniper",
    ".local/lib/juniper/bundles",
)
"""In the account's home, where root writes for it."""


def facts_of(
    proc: Path, dev: Path, *, account: str = "juniper", addresses: Iterable[str] = (), python: str | None = None
) -> dict[str, object]:
    """Everything that this host tells."""
    version = proc / "version"
    return {
        "addresses": {address: why for address in addresses if (why := why_not_here(address))},
        "driver": driver_of(version.read_text(encoding="utf-8")) if version.is_file() else None,
        "gpus": len(list((proc / "gpus").glob("*"))),
        "has_gpu_node": (dev / "nvidiactl").exists(),
        "links": links_of(account),
        "platform": sysconfig.get_platform(),
        "pythons": _pythons([python] if python else []),
        "systemd": _systemd(),
    }


def why_not_here(address: str) -> str | None:
    """Why a service of this host cannot listen there, or nobody else would reach it."""
    try:
        family, _, _, _, place = socket.getaddrinfo(address, 0, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        return f"it is not found here: {error.strerror or error}"
    with socket.socket(family) as probe:
        try:
            probe.bind(place)
        except OSError:
            return "no interface of the host has it"
    is_meant = address.endswith("localhost") or address == place[0]
    return f"it is {place[0]} here" if ipaddress.ip_address(place[0]).is_loopback and not is_meant else None


def links_of(account: str) -> list[str]:
    """The folders that are links: what root writes there would come to wherever the account wants it."""
    try:
        home = Path(pwd.getpwnam(account).pw_dir)
    except KeyError:
        return []
    return [str(home / name) for name in _FOLDERS if (home / name).is_symlink()]


def _pythons(given: Iterable[str]) -> dict[str, str]:
    """The version of each that answers."""
    found = (path for pattern in _PYTHONS for path in sorted(Path("/").glob(pattern.lstrip("/"))))
    paths = [*map(Path, given), *found]
    question = "import sys; print('%d.%d' % sys.version_info[:2])"
    answers = {str(path): _said([str(path), "-I", "-c", question]) for path in paths}
    return {path: version for path, version in answers.items() if version}


def _systemd() -> int | None:
    found = re.match(r"systemd (\d+)", _said(["systemctl", "--version"]))
    return int(found[1]) if found else None


def _said(command: list[str]) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603
    except (OSError, subprocess.CalledProcessError):  # there is none, or it does not work: the same to whoever needs it
        return ""


def main() -> None:
    """Run as Ansible's module."""
    module = AnsibleModule(
        argument_spec={
            "account": {"type": "str", "default": "juniper"},
            "addresses": {"type": "list", "elements": "str", "default": []},
            "python": {"type": "path"},
            "proc": {"type": "path", "default": "/proc/driver/nvidia"},
            "dev": {"type": "path", "default": "/dev"},
        },
        supports_check_mode=True,
    )
    asked = {name: module.params[name] for name in ("account", "addresses", "python")}
    facts = facts_of(Path(module.params["proc"]), Path(module.params["dev"]), **asked)
    module.exit_json(changed=False, ansible_facts={"juniper": facts})


if __name__ == "__main__":
    main()
