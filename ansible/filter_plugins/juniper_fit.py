"""Ansible's filters that say whether a host can run Juniper, by what the module `juniper_facts` told of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Facts = Mapping[str, Any]

OLDEST_PYTHON = (3, 11)
OLDEST_SYSTEMD = 252
OLDEST_DRIVER = 580
"""CUDA 13 needs it, which the pinned torch and CuPy are built for."""


def juniper_has_gpu(facts: Facts) -> bool:
    """Whether there is a GPU, with a driver that fits."""
    driver = int((facts["driver"] or "0").split(".")[0])
    return bool(facts["gpus"] and facts["has_gpu_node"] and driver >= OLDEST_DRIVER)


def juniper_host_lacks(facts: Facts, wants_gpu: bool) -> list[str]:
    """Why Juniper cannot be run there, a line for each reason."""
    found = []
    if (facts["systemd"] or 0) < OLDEST_SYSTEMD:
        found.append(f"systemd is {facts['systemd'] or 'not there'}; it takes {OLDEST_SYSTEMD} or newer")
    versions = [tuple(int(part) for part in version.split(".")) for version in facts["pythons"].values()]
    if not any(version >= OLDEST_PYTHON for version in versions):
        seen = ", ".join(f"{path} is {version}" for path, version in facts["pythons"].items()) or "there is none"
        found.append(f"no Python 3.11 or newer ({seen}): on Debian, apt-get install python3")
    if wants_gpu and not juniper_has_gpu(facts):
        driver = f"the driver is {facts['driver']}" if facts["driver"] else "no NVIDIA driver is loaded"
        node = "" if facts["has_gpu_node"] else ", no /dev/nvidiactl"
        found.append(
            f"juniper_gpu is set: {driver} ({facts['gpus']} GPUs{node}), and CUDA 13 takes {OLDEST_DRIVER} or newer: "
            "mend that, or set juniper_gpu to false"
        )
    return found


def juniper_bundle_lacks(bundle: Mapping[str, Any], facts: Facts, wants_gpu: bool) -> list[str]:
    """Why a bundle cannot be installed on the host; of one that is not made yet nothing is known."""
    if not bundle:
        return []
    found = []
    if bundle["python"] not in facts["pythons"].values():
        seen = ", ".join(sorted(set(facts["pythons"].values())))
        found.append(f"the bundle is for Python {bundle['python']}, and here is {seen}: juniper-ctl bundle --python")
    if wants_gpu and "gpu" not in bundle["extras"]:
        found.append(
            "it trains on a GPU, and the bundle has no torch and CuPy: set juniper_gpu_bundle, or juniper_gpu to false"
        )
    return found


class FilterModule:
    """What Ansible asks for."""

    def filters(self) -> dict[str, Any]:
        """The filters by their names."""
        return {each.__name__: each for each in (juniper_has_gpu, juniper_host_lacks, juniper_bundle_lacks)}
