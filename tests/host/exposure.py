"""The exposure of a unit, as `systemd-analyze security` counts it."""

import re

from testinfra.host import Host

from tests.host.booted_host import BootedHost
from tests.host.sandbox import UNITS

LIMIT = 1.6
GPU_LIMIT = 1.8
"""Of cascor, which has a GPU's devices and compiles code."""


def exposure(machine: BootedHost, host: Host, unit: str) -> float:
    """For a real host: with the drop-in that a container does not take."""
    machine.copy_folder(UNITS, "units")
    file = unit.partition("@")[0] + ("@" if "@" in unit else "") + ".service"
    said = host.check_output(f"systemd-analyze --user security --offline=yes --no-pager $HOME/units/{file}")
    found = re.search(r"exposure level for \S+: ([0-9.]+)", said)
    assert found is not None, said
    return float(found[1])
