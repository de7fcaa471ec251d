"""Doctor's section on the sandbox: proves it, by a program that tries to get out of it."""

import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from juniper_ctl import scope, systemctl
from juniper_ctl.doctor.findings import Finding
from juniper_ctl.doctor.sandbox_probe import FACTS, attempts
from juniper_ctl.errors import ControlError
from juniper_ctl.locations import Locations

_HOW = "see docs/secure.md: when the sandbox is not enforced"


def look(locations: Locations) -> list[Finding]:
    """Start the probe in the services' sandbox, and judge what came of it."""
    if not (locations.units / "juniper-probe@.service").is_file() or not systemctl.manager_answers():
        return [Finding("unknown", "without units and a manager that starts them there is no sandbox to look at")]
    nonce = secrets.token_hex(8)
    unit = f"juniper-probe@{nonce}.service"
    try:
        systemctl.tell("start", unit)
    except ControlError as error:
        how = f"journalctl --{scope.chosen()} -u {unit}"
        return [Finding("wrong", f"nothing starts in the services' sandbox: {error.message}", how)]
    finally:
        systemctl.tell("reset-failed", "juniper-probe@*.service")
    facts = json.loads((locations.state_of("probe") / FACTS).read_text(encoding="utf-8"))
    if facts["nonce"] != nonce:
        return [Finding("unknown", "the probe wrote nothing down", f"journalctl --{scope.chosen()} -u {unit}")]
    arrived = [path for path in attempts(nonce, Path.home(), locations.code_folder) if path.exists()]
    for path in arrived:
        path.unlink()
    return judged(facts, arrived)


def judged(facts: Mapping[str, Any], arrived: Sequence[Path]) -> list[Finding]:
    """What the probe's facts mean.

    Args:
        facts: as `sandbox_probe` writes them.
        arrived: the files that it could make.
    """
    status = facts["status"]
    claims = [
        ("home, /tmp, /usr, /etc and the code are out of reach for writing", not arrived, f"it made {_named(arrived)}"),
        ("keys and credentials are hidden", not facts["seen"], f"it sees {_named(facts['seen'])}"),
        ("no manager and no bus is in reach", not facts["reached"], f"it reaches {_named(facts['reached'])}"),
        ("it has no capability", int(status["CapBnd"], 16) == 0, f"its capabilities are {status['CapBnd']}"),
        ("it gains no privileges", status["NoNewPrivs"] == "1", "a set-user-ID program would give it privileges"),
        ("its system calls are filtered", status["Seccomp"] == "2", "any system call is open to it"),
        ("it sees no device but the harmless", not _devices(facts), f"it sees {_named(_devices(facts))}"),
    ]
    return [
        Finding("ok", claim) if holds else Finding("wrong", f"the sandbox leaks: {leak}", _HOW)
        for claim, holds, leak in claims
    ]


_HARMLESS = {f"/dev/{name}" for name in ("full", "null", "ptmx", "pts/ptmx", "random", "tty", "urandom", "zero")}
"""The nodes that `PrivateDevices=` leaves."""


def _devices(facts: Mapping[str, Any]) -> list[str]:
    return [name for name in facts["devices"] if name not in _HARMLESS]


def _named(things: Iterable[object]) -> str:
    return ", ".join(map(str, things))
