"""What the GPUs do: asked of the training service or, where it does not answer, of the driver's own program."""

import subprocess
from dataclasses import dataclass, fields

from juniper_ctl.locations import Locations
from juniper_ctl.service_api import ServiceApi
from juniper_ctl.services import CASCOR

_TIMEOUT_S = 5.0
_NVIDIA_SMI = ("index", "name", "memory.used", "memory.total", "utilization.gpu", "temperature.gpu", "power.draw")


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU of the host; None stands where the driver does not tell."""

    index: int
    name: str
    memory_used: int | None
    memory_total: int | None
    utilisation_percent: int | None
    temperature_c: int | None
    power_w: float | None


@dataclass(frozen=True, slots=True)
class Gpus:
    """All of them, and who said so."""

    devices: tuple[Gpu, ...]
    told_by: str
    """cascor or nvidia-smi; empty where nobody could be asked."""
    note: str
    """For a person: why there is none."""


_FIGURES = tuple(field.name for field in fields(Gpu))


def gpus(locations: Locations) -> Gpus:
    """Ask for them."""
    try:
        answer = ServiceApi.of(CASCOR, locations, timeout_s=_TIMEOUT_S).get("/v1/host")
        complaint = "" if answer.is_success else answer.complaint()
    except OSError as error:
        complaint = str(error)
    if not complaint:
        return _told_by_cascor(answer.body)
    found = _told_by_driver()
    return found or Gpus((), "", f"cascor does not tell ({complaint}), and nvidia-smi neither")


def _told_by_cascor(body: dict[str, object]) -> Gpus:
    data = body.get("data")
    told = data.get("gpus", []) if isinstance(data, dict) else []
    found = tuple(Gpu(**{name: one.get(name) for name in _FIGURES}) for one in told)
    return Gpus(found, "cascor", "" if found else "none that cascor sees")


def _told_by_driver() -> Gpus | None:
    command = ["nvidia-smi", f"--query-gpu={','.join(_NVIDIA_SMI)}", "--format=csv,noheader,nounits"]
    try:
        asked = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_TIMEOUT_S)
    except (OSError, subprocess.TimeoutExpired):
        return None
    if asked.returncode != 0:
        return None
    found = tuple(_gpu(line) for line in asked.stdout.splitlines())
    return Gpus(found, "nvidia-smi", "" if found else "none that the driver sees")


def _gpu(line: str) -> Gpu:
    index, name, used_mib, total_mib, use, temperature, power = (cell.strip() for cell in line.split(","))
    used, total, percent, celsius, watts = map(_figure, (used_mib, total_mib, use, temperature, power))
    return Gpu(
        index=int(index),
        name=name,
        memory_used=None if used is None else int(used) * 2**20,
        memory_total=None if total is None else int(total) * 2**20,
        utilisation_percent=None if percent is None else int(percent),
        temperature_c=None if celsius is None else int(celsius),
        power_w=watts,
    )


def _figure(cell: str) -> float | None:
    """It says [N/A] or [Not Supported] where the driver does not tell."""
    return None if cell.startswith("[") or not cell else float(cell)
