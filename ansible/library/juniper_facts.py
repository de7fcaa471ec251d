"""Ansible's module `juniper_facts`: what a host has that Juniper needs to know before anything is installed."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: juniper_facts
short_description: What a host has that Juniper needs
description:
  - Tells the versions of systemd and of each Python that a release can be made with, and the NVIDIA GPUs.
options:
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
        driver: 580.65.06
        gpus: 2
        has_gpu_node: true
        pythons: {/usr/bin/python3: "3.11"}
        systemd: 252
"""

_PYTHONS = ("/usr/bin/python3", "/usr/local/bin/python3", "/usr/bin/python3.[0-9][0-9]")
"""Where juniper-ctl looks for one: the services' sandbox hides those in homes."""


def driver_of(text: str) -> str | None:
    """The driver's version in what `/proc/driver/nvidia/version` says, of the open kernel module or the other."""
    found = re.search(r"Kernel Module\s+(?:for \S+\s+)?(\d+(?:\.\d+)+)", text)
    return found[1] if found else None


def facts_of(proc: Path, dev: Path) -> dict[str, object]:
    """Everything that this host tells."""
    version = proc / "version"
    return {
        "driver": driver_of(version.read_text(encoding="utf-8")) if version.is_file() else None,
        "gpus": len(list((proc / "gpus").glob("*"))),
        "has_gpu_node": (dev / "nvidiactl").exists(),
        "pythons": _pythons(),
        "systemd": _systemd(),
    }


def _pythons() -> dict[str, str]:
    """The version of each that answers."""
    paths = [path for pattern in _PYTHONS for path in sorted(Path("/").glob(pattern.lstrip("/")))]
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
            "proc": {"type": "path", "default": "/proc/driver/nvidia"},
            "dev": {"type": "path", "default": "/dev"},
        },
        supports_check_mode=True,
    )
    facts = facts_of(Path(module.params["proc"]), Path(module.params["dev"]))
    module.exit_json(changed=False, ansible_facts={"juniper": facts})


if __name__ == "__main__":
    main()
