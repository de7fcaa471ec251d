"""Ansible's module `juniper_stale`: whether a service runs with what it was told before something was changed."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: juniper_stale
short_description: Whether a service has to be restarted
description:
  - Compares when it was started with when its release, unit files, env files and credentials were changed.
  - So a change of an earlier run, which ended before the restart, is not forgotten.
options:
  service:
    description: C(data), C(cascor) or C(canopy).
    type: str
    required: true
author: The Juniper project
"""

EXAMPLES = r"""
- name: See whether the service has to be restarted
  juniper_stale:
    service: data
  become: true
  become_user: juniper
  environment:
    XDG_RUNTIME_DIR: /run/user/1001
  notify: Restart the service
"""

RETURN = r"""
newer:
  description: What was changed since it was started; empty where it does not run.
  returned: always
  type: list
  elements: str
"""

_PROPERTIES = (
    "ExecMainStartTimestampMonotonic",
    "ActiveState",
    "FragmentPath",
    "DropInPaths",
    "EnvironmentFiles",
    "NeedDaemonReload",
)


def newer_than(started_s: float, paths: Iterable[Path]) -> list[str]:
    """Those that were changed since, a link itself or what it leads to."""
    changed = {str(path): max(stat().st_mtime for stat in (path.lstat, path.stat)) for path in paths if path.exists()}
    return [path for path, changed_s in changed.items() if changed_s > started_s]


def read_by(properties: Mapping[str, str], unit_text: str, home: Path) -> list[Path]:
    """The files that systemd reads at a start of the unit."""
    words = f"{properties['FragmentPath']} {properties['DropInPaths']}".split()
    words += re.findall(r"(\S+) \(ignore_errors=\w+\)", properties["EnvironmentFiles"])
    credentials = re.findall(r"^LoadCredential=[^:\n]+:(\S+)$", unit_text, re.MULTILINE)
    current = home / ".local/lib/juniper/current"
    return [current, *map(Path, words), *(Path(path.replace("%h", str(home))) for path in credentials)]


def main() -> None:
    """Run as Ansible's module."""
    module = AnsibleModule(argument_spec={"service": {"type": "str", "required": True}}, supports_check_mode=True)
    name, home = module.params["service"], Path.home()
    shown = ["systemctl", "--user", "show", f"juniper-{name}.service", *(f"--property={each}" for each in _PROPERTIES)]
    _, said, _ = module.run_command(shown, check_rc=True)
    properties = dict.fromkeys(_PROPERTIES, "")
    for line in said.splitlines():
        key, _, value = line.partition("=")
        properties[key] += f"{value} "
    properties = {key: value.strip() for key, value in properties.items()}
    if properties["ActiveState"] not in ("active", "activating", "reloading"):
        module.exit_json(changed=False, newer=[])
    units = [Path(path) for path in f"{properties['FragmentPath']} {properties['DropInPaths']}".split()]
    text = "\n".join(path.read_text(encoding="utf-8") for path in units).replace("%j", name)
    # Both clocks now, since the one of the files may have been set since the start.
    started_s = time.time() - time.monotonic() + int(properties["ExecMainStartTimestampMonotonic"]) / 1e6
    newer = newer_than(started_s, read_by(properties, text, home))
    if properties["NeedDaemonReload"] == "yes":
        newer.append("a unit file that systemd has not read yet")
    module.exit_json(changed=bool(newer), newer=newer)


if __name__ == "__main__":
    main()
