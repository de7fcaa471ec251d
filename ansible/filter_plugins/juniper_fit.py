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


def juniper_host_lacks(facts: Facts, wants_gpu: bool, python: str = "") -> list[str]:
    """Why Juniper cannot be run there, a line for each reason.

    Args:
        facts: what the host has.
        wants_gpu: it is to train on one.
        python: the interpreter that the inventory names.
    """
    found = [
        f"it cannot listen on {address}: {why}: set juniper_address" for address, why in facts["addresses"].items()
    ]
    found += [f"{path} is a link, and root would write where it leads: make it a folder" for path in facts["links"]]
    if (facts["systemd"] or 0) < OLDEST_SYSTEMD:
        found.append(f"systemd is {facts['systemd'] or 'not there'}; it takes {OLDEST_SYSTEMD} or newer")
    versions = {path: tuple(map(int, version.split("."))) for path, version in facts["pythons"].items()}
    if python and versions.get(python, (0,)) < OLDEST_PYTHON:
        found.append(
            f"juniper_python={python} is {facts['pythons'].get(python, 'none')}; it takes Python 3.11 or newer"
        )
    elif not any(version >= OLDEST_PYTHON for version in versions.values()):
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


def juniper_bundle_lacks(bundle: Mapping[str, Any], facts: Facts, wants_gpu: bool, python: str = "") -> list[str]:
    """Why a bundle cannot be installed on the host; of one that is not made yet nothing is known."""
    if not bundle:
        return []
    found = []
    if bundle["platform"] != facts["platform"]:
        found.append(
            f"the bundle is for {bundle['platform']}, and this is {facts['platform']}: make one on such a machine, and "
            "name it with juniper_bundle"
        )
    versions = {facts["pythons"].get(python)} if python else set(facts["pythons"].values())
    if bundle["python"] not in versions:
        seen = ", ".join(sorted(map(str, versions)))
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
