"""Looks at what a service needs of this host, a section at a time: a line per finding, and what to type next."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import TypeAlias

from juniper_ctl.doctor import (
    env_section,
    gpu_section,
    host_section,
    install_section,
    ports_section,
    sandbox_section,
    storage_section,
    tls_section,
)
from juniper_ctl.doctor.findings import Finding
from juniper_ctl.errors import ControlError, Exit
from juniper_ctl.locations import Locations
from juniper_ctl.progress import print_json

Look: TypeAlias = Callable[[Locations], Sequence[Finding]]

SECTIONS: Mapping[str, Look] = {
    "host": host_section.look,
    "install": install_section.look,
    "env": env_section.look,
    "sandbox": sandbox_section.look,
    "ports": ports_section.look,
    "tls": tls_section.look,
    "storage": storage_section.look,
    "gpu": gpu_section.look,
}
"""What it looks at, in this order. A section is a function that returns what it found, and it raises nothing."""


def doctor(names: Sequence[str], *, as_json: bool, sections: Mapping[str, Look] = SECTIONS) -> Exit:
    """Print what the named sections find; none named: all of them. It is a failure that something is wrong.

    Raises:
        ControlError: a name is none of a section.
    """
    unknown = [name for name in names if name not in sections]
    if unknown:
        raise ControlError(
            f"doctor has no section {unknown[0]}; there are {', '.join(sections)}",
            next_command="juniper-ctl doctor --help",
            code=Exit.USAGE,
        )
    locations = Locations.of(os.environ)
    found = {name: list(look(locations)) for name, look in sections.items() if not names or name in names}
    is_well = not any(finding.level == "wrong" for findings in found.values() for finding in findings)
    verdict = Exit.OK if is_well else Exit.FAILED
    if as_json:
        told = {name: [asdict(finding) for finding in findings] for name, findings in found.items()}
        print_json({"verdict": verdict.name.lower(), "sections": told})
        return verdict
    for name, findings in found.items():
        for finding in findings:
            print(f"{name:<8} {finding.shown()}")
    return verdict
