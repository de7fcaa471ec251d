"""Doctor's section on the GPU: what juniper-cascor can train with, outside of its unit's sandbox and inside."""

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from juniper_ctl import systemctl
from juniper_ctl.doctor.findings import Finding, Level
from juniper_ctl.env_file import environment_of
from juniper_ctl.errors import ControlError
from juniper_ctl.locations import Locations
from juniper_ctl.programs import NoAnswerError, ask, program_of
from juniper_ctl.services import CASCOR

_NEEDED = re.compile(r"nvidiactl|nvidia\d+|nvidia-uvm|nvidia-uvm-tools|nvidia-caps")
"""What a training opens below /dev. nvidia-modeset is for screens, nvidia-nvswitch* for the fabric's manager."""


_TIMEOUT_S = 120  # it allows the driver a minute to wake the GPUs


def look(locations: Locations, dev: Path = Path("/dev"), proc: Path = Path("/proc")) -> list[Finding]:
    """Ask the training service's own program, and compare the devices that there are with those that its unit sees."""
    program = program_of(CASCOR, locations)
    if program is None:
        return [Finding("unknown", "no release is installed that could be asked", "juniper-ctl install")]
    environment = environment_of(CASCOR, locations, over=os.environ)
    try:
        report = ask(program, "gpus", "--json", environment=environment, timeout_s=_TIMEOUT_S)
    except NoAnswerError as error:
        return [Finding("wrong", f"{program} does not say what GPUs there are: {error}", "juniper-ctl install")]
    nodes = [path.name for path in sorted(dev.glob("nvidia*")) if _NEEDED.fullmatch(path.name)]
    return [*findings_of(report), *_sandbox(nodes, locations, proc)]


def findings_of(report: dict[str, Any]) -> list[Finding]:
    """What `juniper-cascor gpus --json` told, as findings."""
    facts, cuda = report["facts"], report["facts"]["cuda"]
    found = []
    if facts["driver"] and cuda["supports"]:
        found.append(
            Finding("ok", f"driver {facts['driver']}, which supports CUDA {_dotted(cuda['supports'])} at most")
        )
    for index, device in enumerate(cuda["devices"]):
        memory = f"{device['memory_total'] / 2**30:.0f} GiB"
        said = f"GPU {index}: {device['name']}, compute capability {_dotted(device['capability'])}, {memory}"
        found.append(Finding("ok", said))
    if not report["device"]["is_usable"]:
        return [*found, _complaint("", report["device"], is_expected=report["is_expected"])]
    for name, verdict in report["backends"].items():
        if verdict["is_usable"]:
            found.append(Finding("ok", f"{name}: {_built(name, facts)}"))
        else:
            found.append(_complaint(f"{name}: ", verdict, is_expected=report["is_expected"]))
    return found


def _complaint(prefix: str, verdict: dict[str, Any], *, is_expected: bool) -> Finding:
    """Wrong is only what somebody set up and what can be mended: all else trains on the CPU, as it should."""
    level: Level = "wrong" if is_expected and verdict["next_step"] else "absent"
    return Finding(level, prefix + verdict["reason"], verdict["next_step"])


def _built(name: str, facts: dict[str, Any]) -> str:
    if name == "torch":
        return f"torch {facts['torch']['version']} for CUDA {_dotted(facts['torch']['cuda'])}"
    (cupy,) = facts["cupy"]
    cuda = f" for CUDA {_dotted(cupy['cuda'])}" if cupy["cuda"] else ""
    return f"CuPy {cupy['version']}{cuda}, compiling with NVRTC {facts['nvrtc']}"


def _dotted(version: Sequence[int]) -> str:
    return ".".join(map(str, version))


@dataclass(frozen=True, slots=True)
class Inside:
    """What the running service sees below /dev."""

    nodes: frozenset[str] | None
    """None: it may not be looked at."""


def sandbox_findings(nodes: Sequence[str], bound: Iterable[str], inside: Inside | None) -> list[Finding]:
    """Which of the host's nodes the unit hides, or the running service does not see.

    Args:
        nodes: those of the host that a training opens.
        bound: those that the unit binds into its sandbox.
        inside: None: the service does not run.
    """
    unbound = [node for node in nodes if node not in set(bound)]
    found = [
        Finding(
            "wrong",
            f"/dev/{node} is hidden from {CASCOR.unit}",
            f"systemctl --user edit {CASCOR.unit}   (two lines: [Service] and BindPaths=-/dev/{node}),"
            " then: juniper-ctl restart cascor",
        )
        for node in unbound
    ]
    if inside is None:
        return found or [Finding("ok", f"{CASCOR.unit} will see {len(nodes)} of {len(nodes)} device nodes")]
    if inside.nodes is None:
        return [*found, Finding("unknown", f"what the running {CASCOR.unit} sees may not be looked at")]
    late = [node for node in nodes if node not in unbound and node not in inside.nodes]
    if late:
        names = ", ".join(f"/dev/{node}" for node in late)
        found.append(
            Finding("wrong", f"{CASCOR.unit} was started before there was {names}", "juniper-ctl restart cascor")
        )
    return found or [Finding("ok", f"the running {CASCOR.unit} sees all {len(nodes)} device nodes")]


def _sandbox(nodes: Sequence[str], locations: Locations, proc: Path) -> list[Finding]:
    """Nothing to say where there is no GPU, or no unit that could hide it."""
    unit = locations.units / CASCOR.unit
    if not nodes or not unit.is_file():
        return []
    drop_ins = sorted((locations.units / f"{CASCOR.unit}.d").glob("*.conf"))
    bound = bound_nodes(path.read_text(encoding="utf-8") for path in (unit, *drop_ins))
    return sandbox_findings(nodes, bound, _inside(nodes, proc))


def bound_nodes(texts: Iterable[str]) -> list[str]:
    """The names below /dev that unit files bind into the sandbox; an empty assignment takes back those before."""
    bound: list[str] = []
    for value in re.findall(r"^BindPaths=(.*)$", "\n".join(texts), re.MULTILINE):
        paths = [word.removeprefix("-").partition(":")[0] for word in value.split()]
        bound = [*bound, *(path.removeprefix("/dev/") for path in paths)] if paths else []
    return bound


def _inside(nodes: Sequence[str], proc: Path) -> Inside | None:
    try:
        (state,) = systemctl.show([CASCOR.unit])
    except ControlError:  # no manager answers, so nothing runs under it
        return None
    pid = state.number("MainPID")
    if not pid:
        return None
    try:
        return Inside(frozenset(node for node in nodes if _is_there(proc / str(pid) / "root/dev" / node)))
    except OSError:  # it has ended meanwhile, or the kernel lets nobody look
        return Inside(None)


def _is_there(path: Path) -> bool:
    try:
        path.stat()
    except FileNotFoundError:
        return False
    return True
