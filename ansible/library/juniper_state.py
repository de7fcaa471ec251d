"""Ansible's module `juniper_state`: how the services of a host are, told by the host's own `juniper-ctl`.

One module in place of a task for each command, so that a host is asked over one connection.
"""

from __future__ import annotations

import json
import os
import pwd
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: juniper_state
short_description: How the services of a host are
description:
  - Asks C(juniper-ctl) of the account for states, health, GPUs, disks and backups. It changes nothing.
  - Runs as root, or as the account itself. A host without the account, or without an installation, is no failure.
options:
  account:
    description: The account that the services run as.
    type: str
    required: true
author: The Juniper project
"""

EXAMPLES = r"""
- name: Ask how the services are
  juniper_state:
    account: juniper
  become: true
  register: juniper_asked
"""

RETURN = r"""
state:
  description: What the host tells.
  returned: always
  type: dict
  contains:
    is_installed: {description: Whether there is a release., type: bool, returned: always}
    errors: {description: Why something could not be told., type: list, elements: str, returned: always}
    gpus: {description: The GPUs as C(juniper-ctl resources) has them., type: list, elements: dict, returned: always}
    services:
      description: Each service that is installed.
      returned: always
      type: list
      elements: dict
      sample:
        - backup_age_s: 3600.0
          detail: running
          disk_free_bytes: 41000000000
          disk_total_bytes: 100000000000
          health: ready
          is_ready: true
          release: 0.1.0+8d72729241ce
          service: data
          state: active
          why: ""
"""

_QUESTIONS: Mapping[str, Sequence[str]] = {
    "status": ("status",),
    "health": ("health",),
    # It measures the processors for that long, which nobody asks for here.
    "resources": ("resources", "--interval", "0.1"),
    "backups": ("backup", "list"),
}
_PATIENCE_S = 60

Ask = Callable[[Sequence[str]], Mapping[str, Any]]
"""Runs a command that prints a JSON object, and returns that; the object has an `error` where it could not do it."""


def state_of(home: Path, ask: Ask, now: float) -> dict[str, Any]:
    """What the host tells.

    Args:
        home: of the account.
        ask: runs a command as the account.
        now: Unix time, which the backups' ages are told by.
    """
    program = home / ".local/lib/juniper/current/bin/juniper-ctl"
    if not program.exists():
        return {"is_installed": False, "errors": [], "gpus": [], "services": []}
    told = {name: ask([str(program), *words, "--json"]) for name, words in _QUESTIONS.items()}
    health = {each["service"]: each for each in told["health"].get("services", ())}
    return {
        "is_installed": True,
        # Each once: without systemd several say the same.
        "errors": list(dict.fromkeys(answer["error"] for answer in told.values() if "error" in answer)),
        "gpus": told["resources"].get("gpus", {}).get("devices", []),
        "services": [
            {
                "service": each["service"],
                "release": each["version"],
                "state": each["state"],
                "detail": each["detail"],
                **_health_of(each, health.get(each["service"], {})),
                **_disk_of(each["service"], told["resources"]),
                "backup_age_s": _backup_age_s(each["service"], told["backups"], now),
            }
            for each in told["status"].get("services", ())
        ],
    }


def _health_of(status: Mapping[str, Any], health: Mapping[str, Any]) -> dict[str, Any]:
    """What the service itself says, and whether systemd agrees."""
    says = health.get("status", "unknown")
    return {"health": says, "why": health.get("why", ""), "is_ready": status["is_ready"] and says == "ready"}


def _disk_of(service: str, resources: Mapping[str, Any]) -> dict[str, int | None]:
    """The file system that it keeps its data on; none of one that was never started."""
    disks = resources.get("machine", {}).get("disks", ())
    disk: Mapping[str, Any] = next((each for each in disks if service in each["services"]), {})
    return {"disk_free_bytes": disk.get("free_bytes"), "disk_total_bytes": disk.get("total_bytes")}


def _backup_age_s(service: str, backups: Mapping[str, Any], now: float) -> float | None:
    """Of the newest that has it and can be read."""
    kept = [each["services"][service] for each in backups.get("backups", ()) if service in each.get("services", ())]
    return round(max(0.0, now - max(each["as_of"] for each in kept)), 1) if kept else None


def asking(account: pwd.struct_passwd) -> Ask:
    """Asks as the account, from its home: the folder of whoever logged in may be none that it can enter."""
    runtime = f"/run/user/{account.pw_uid}"
    environment = {"HOME": account.pw_dir, "PATH": os.environ["PATH"], "XDG_RUNTIME_DIR": runtime, "LC_ALL": "C.UTF-8"}
    groups = os.getgrouplist(account.pw_name, account.pw_gid)
    is_root = os.geteuid() == 0

    def ask(command: Sequence[str]) -> Mapping[str, Any]:
        try:
            ended = subprocess.run(  # noqa: S603
                command,
                cwd=account.pw_dir,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
                timeout=_PATIENCE_S,
                user=account.pw_uid if is_root else None,
                group=account.pw_gid if is_root else None,
                extra_groups=groups if is_root else None,
            )
            answer: Mapping[str, Any] = json.loads(ended.stdout)
        except (OSError, subprocess.TimeoutExpired) as error:
            return {"error": str(error)}
        except ValueError:
            said = ended.stderr.strip().rpartition("\n")[2]
            return {"error": said or f"{command[0]} ended with {ended.returncode} and said nothing"}
        return answer

    return ask


def main() -> None:
    """Run as Ansible's module."""
    module = AnsibleModule(argument_spec={"account": {"type": "str", "required": True}}, supports_check_mode=True)
    try:
        account = pwd.getpwnam(module.params["account"])
    except KeyError:
        module.exit_json(changed=False, state={"is_installed": False, "errors": [], "gpus": [], "services": []})
    module.exit_json(changed=False, state=state_of(Path(account.pw_dir), asking(account), time.time()))


if __name__ == "__main__":
    main()
