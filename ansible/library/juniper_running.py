"""Ansible's module `juniper_running`: has a host's services run from a release, and waits until that one serves.

All of it is `juniper-ctl status`, `restart` and `health`, as a person types them.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: juniper_running
short_description: The services of an account run from a release, and are ready
description:
  - Restarts those that run from another release, or not at all, one after the other in the order of their start.
  - Then each has to answer C(/v1/health/ready), and its process has to be of the release.
  - Runs as the account.
options:
  release:
    description: Its name. It is the current one; in check mode it need not be.
    type: str
    required: true
  timeout_s:
    description: How long the services may take to be ready, once all of them are started.
    type: int
    default: 120
author: The Juniper project
"""

EXAMPLES = r"""
- name: Have the services run from it
  juniper_running:
    release: 1.2.0+5d0c3a1f9e27
  become: true
  become_user: juniper
"""

RETURN = r"""
restarted:
  description: The services that were.
  returned: always
  type: list
  elements: str
moved:
  description: Those among them that ran from another release before.
  returned: always
  type: list
  elements: str
log:
  description: What was logged of the service last.
  returned: on failure
  type: list
  elements: str
"""

LOG_LINES = 12


def not_from(release: str, services: Iterable[Mapping[str, Any]]) -> list[str]:
    """Those that run from another release, or not at all, as `juniper-ctl status` tells of them."""
    return [each["service"] for each in services if each["pid"] is None or each["version"] != release]


def from_another(release: str, services: Iterable[Mapping[str, Any]]) -> list[str]:
    """Those that run, from another release."""
    return [each["service"] for each in services if each["pid"] is not None and each["version"] != release]


def not_ready(services: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Those whose answer is none of a service that is ready, as `juniper-ctl health` tells of them, and why.

    One that lacks a service of another host says 200: what that host has does not depend on this one's release.
    """
    return {each["service"]: each["why"] or each["status"] for each in services if each["http_status"] != 200}


def main() -> None:
    """Run as Ansible's module."""
    module = AnsibleModule(
        argument_spec={"release": {"type": "str", "required": True}, "timeout_s": {"type": "int", "default": 120}},
        supports_check_mode=True,
    )
    release, home = module.params["release"], str(Path.home())
    program = f"{home}/.local/lib/juniper/current/bin/juniper-ctl"

    def told(command: str) -> list[dict[str, Any]]:
        code, said, complained = module.run_command([program, command, "--json"], cwd=home)
        # It ends with what it found, as with 2 for degraded.
        answer: dict[str, Any] = json.loads(said) if said.startswith("{") else {"error": complained.strip()}
        if "services" not in answer:
            module.fail_json(msg=answer["error"], rc=code, changed=bool(stale), moved=moved, log=[])
        return list(answer["services"])

    def fail(service: str, why: str) -> None:
        journal = ["journalctl", "--user", "--quiet", "--no-pager", "--output=cat", f"--lines={LOG_LINES}"]
        _, said, _ = module.run_command([*journal, f"--unit=juniper-{service}.service"])
        module.fail_json(msg=why, changed=bool(stale), restarted=stale, moved=moved, log=said.splitlines())

    stale: list[str] = []
    moved: list[str] = []
    before = told("status")
    stale, moved = not_from(release, before), from_another(release, before)
    if module.check_mode:
        module.exit_json(changed=bool(stale), restarted=stale, moved=moved)
    if stale:
        # An installation that was interrupted has written units, and systemd has not read them.
        bus = {"XDG_RUNTIME_DIR": f"/run/user/{os.getuid()}"}
        module.run_command(["systemctl", "--user", "daemon-reload"], check_rc=True, environ_update=bus)
    for service in stale:
        code, _, complained = module.run_command([program, "restart", service], cwd=home)
        if code != 0:
            fail(service, complained.strip().splitlines()[0].removeprefix("juniper-ctl: "))
    deadline = time.monotonic() + module.params["timeout_s"]
    while True:
        late = dict.fromkeys(not_from(release, told("status")), "it runs from another release")
        late.update(not_ready(told("health")))
        if not late:
            module.exit_json(changed=bool(stale), restarted=stale, moved=moved)
        if time.monotonic() > deadline:
            name, why = next(iter(late.items()))
            fail(name, f"{name} is not ready after {module.params['timeout_s']} s: {why}")
        time.sleep(1)


if __name__ == "__main__":
    main()
