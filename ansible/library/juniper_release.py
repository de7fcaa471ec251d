"""Ansible's module `juniper_release`: makes a release of a bundle, makes one current, goes back to an earlier one.

All of it is `juniper-ctl install` and `juniper-ctl rollback`, as a person types them.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: juniper_release
short_description: The release of Juniper that an account's services are started from
description:
  - Runs as the account. It restarts nothing.
  - A service that the host is no longer to have is stopped.
options:
  state:
    description:
      - C(prepared) makes the release and changes nothing else.
      - C(current) makes it where it is not made, installs its unit files and settings, and points the link to it.
      - C(previous) goes to O(release). Where that is not said, it takes the newest one back, to the one whose place
        that took. If it is not current, it was taken back already, or never came to be, and nothing is changed.
    type: str
    choices: [prepared, current, previous]
    default: current
  bundle:
    description: The bundle's folder on the host. In check mode it need not be there.
    type: path
  services:
    description: Those of C(data), C(cascor) and C(canopy) that the host is to have; none stands for those that it has.
    type: list
    elements: str
    default: []
  release:
    description: The name of a release that the host keeps.
    type: str
  python:
    description: The Python that the services run with.
    type: path
author: The Juniper project
"""

EXAMPLES = r"""
- name: Make the release current
  juniper_release:
    bundle: /home/juniper/.local/lib/juniper/bundles/3f1c
    services: [data, canopy]
  become: true
  become_user: juniper

- name: Go back
  juniper_release:
    state: previous
  become: true
  become_user: juniper
"""

RETURN = r"""
release:
  description: The name of the release; none in check mode where the bundle is not there.
  returned: always
  type: str
before:
  description: The release that was current; none where there was none.
  returned: always
  type: str
"""

Run = Callable[[Sequence[str]], str]
"""Runs a command, and returns what it prints."""


def install(parameters: dict[str, Any], run: Run, *, is_check: bool) -> dict[str, Any]:
    """Prepare a release or make it current; in check mode say what that would change."""
    program = Path(parameters["bundle"]) / "scripts/juniper-ctl"
    if is_check and not program.is_file():
        return {"changed": True, "release": None, "before": None}
    # Not by its first line: where `python3` is an older one, Ansible has found a newer one for this module.
    command = [parameters["python"] or sys.executable, str(program), "install", "--json"]
    command += [f"--service={service}" for service in parameters["services"]]
    command += [f"--python={parameters['python']}"] if parameters["python"] else []
    is_prepare = parameters["state"] == "prepared"
    if is_check:
        plan = json.loads(run([*command, "--diff"]))
    elif is_prepare:
        plan = json.loads(run([*command, "--prepare"]))
    else:
        # While its unit says how it is stopped: with the unit gone it would run on, and hold its port.
        gone = services_gone(json.loads(run([*command, "--diff"])))
        if gone:
            run(["systemctl", "--user", "stop", *gone])
        plan = json.loads(run(command))
    return {**result_of(plan), "changed": plan["makes_release"]} if is_prepare else result_of(plan)


def services_gone(plan: dict[str, Any]) -> list[str]:
    """The services whose units a plan removes."""
    removed = [Path(each["path"]).name for each in plan["units"] if each["after"] is None]
    return [name for name in removed if re.fullmatch(r"juniper-(data|cascor|canopy)\.service", name)]


def go_back(parameters: dict[str, Any], run: Run, *, is_check: bool) -> dict[str, Any]:
    """Make another release current; in check mode say which that would be."""
    code = Path.home() / ".local/lib/juniper"
    named: str | None = parameters["release"]
    # A release's own program knows its units, and the current one may be what is broken.
    own = code / f"releases/{named}/bin/juniper-ctl"
    program = own if named and own.is_file() else code / "current/bin/juniper-ctl"
    kept = json.loads(run([str(program), "releases", "--json"]))["releases"]
    names = [each["release"] for each in kept]
    current = next((each["release"] for each in kept if each["is_current"]), None)
    chosen = named or before_the_newest(kept, current)
    if chosen is None or chosen not in names:
        raise RefusedError(f"{f'no release {named}' if named else 'no earlier release'} is kept here")
    if is_check:
        return {"changed": chosen != current, "release": chosen, "before": current}
    return result_of(json.loads(run([str(program), "rollback", "--json", chosen])))


def before_the_newest(kept: Sequence[dict[str, Any]], current: str | None) -> str | None:
    """The release whose place the newest took; where another one is current, there is nothing to take back."""
    newest = kept[0]
    before: str | None = newest.get("before")
    return current if current != newest["release"] else before


class RefusedError(Exception):
    """There is nothing to go back to."""


def result_of(plan: dict[str, Any]) -> dict[str, Any]:
    """What Ansible is told of a plan that `juniper-ctl` printed."""
    return {
        "changed": plan["changes"],
        "release": plan["release"],
        "before": plan["current"],
        "diff": [
            {
                "before_header": each["path"],
                "after_header": each["path"],
                "before": each["before"] or "",
                "after": each["after"] or "",
            }
            for each in plan["units"]
        ],
    }


def main() -> None:
    """Run as Ansible's module."""
    module = AnsibleModule(
        argument_spec={
            "state": {"choices": ["prepared", "current", "previous"], "default": "current"},
            "bundle": {"type": "path"},
            "services": {"type": "list", "elements": "str", "default": []},
            "release": {"type": "str"},
            "python": {"type": "path"},
        },
        required_if=[("state", "prepared", ["bundle"]), ("state", "current", ["bundle"])],
        supports_check_mode=True,
    )

    def run(command: Sequence[str]) -> str:
        # From its home: the folder of whoever logged in may be none that the account can enter.
        bus = {"XDG_RUNTIME_DIR": f"/run/user/{os.getuid()}"}
        code, said, complained = module.run_command(list(command), cwd=str(Path.home()), environ_update=bus)
        if code != 0:
            module.fail_json(msg=complained.strip() or said.strip(), rc=code, cmd=" ".join(command))
        return str(said)

    act = go_back if module.params["state"] == "previous" else install
    try:
        module.exit_json(**act(module.params, run, is_check=module.check_mode))
    except RefusedError as error:
        module.fail_json(msg=str(error))


if __name__ == "__main__":
    main()
