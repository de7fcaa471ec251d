"""Ansible's filter that makes one document of what the module `juniper_state` returned for each host."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_SERVICES = ("data", "cascor", "canopy")
_UNKNOWN = {"release": "-", "detail": "", "health": "unknown", "why": "", "is_ready": False}
_UNMEASURED = {"disk_free_bytes": None, "disk_total_bytes": None, "backup_age_s": None}


def juniper_hosts(asked: Mapping[str, Mapping[str, Any]], groups: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    """A host for each result, in their order, as `juniper-ctl hosts` reads them.

    Args:
        asked: what came of the module on each host, of those too that were not reached or on which it failed.
        groups: the inventory's groups of each host.
    """
    return [_host(name, result, groups[name]) for name, result in asked.items()]


def _host(name: str, result: Mapping[str, Any], groups: Sequence[str]) -> dict[str, Any]:
    told = result.get("state", {})
    services = {each["service"]: each for each in told.get("services", ())}
    if told and not told["errors"]:
        lacking = [each for each in _SERVICES if each in groups and each not in services]
        services |= {each: {"service": each, "state": "not installed", **_UNKNOWN, **_UNMEASURED} for each in lacking}
    return {
        "host": name,
        "is_reached": not result.get("unreachable", False),
        "is_installed": told.get("is_installed"),
        "errors": [*([] if told else [_said(result)]), *told.get("errors", ())],
        "gpus": told.get("gpus", []),
        "services": sorted(services.values(), key=lambda each: _SERVICES.index(each["service"])),
    }


def _said(result: Mapping[str, Any]) -> str:
    """The first line of what Ansible says went wrong."""
    return str(result.get("msg", "")).strip().partition("\n")[0]


class FilterModule:
    """What Ansible asks for."""

    def filters(self) -> dict[str, Any]:
        """The filters by their names."""
        return {"juniper_hosts": juniper_hosts}
