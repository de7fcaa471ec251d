"""Doctor's section on the ports: whether each is the service's own, or there for it to take."""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from juniper_ctl import systemctl
from juniper_ctl.doctor.findings import Finding
from juniper_ctl.env_file import environment_of
from juniper_ctl.errors import ControlError
from juniper_ctl.locations import Locations
from juniper_ctl.services import Service, of_this_host
from juniper_ctl.systemctl import UnitState

_LISTEN = "0A"


def look(locations: Locations, proc: Path = Path("/proc")) -> list[Finding]:
    """Compare who listens with what the settings say."""
    services = of_this_host(locations)
    try:
        ports = {service: service.port(environment_of(service, locations, over=os.environ)) for service in services}
    except ControlError as error:
        return [Finding("wrong", error.message, error.next_command)]
    try:
        states = systemctl.show([service.unit for service in services])
    except ControlError:  # no manager answers, so no service holds a port as its unit
        states = [UnitState(service.unit, {}) for service in services]
    sockets = listening(proc)
    return [
        *_shared(ports),
        *(_one(service, state, ports[service], sockets, proc) for service, state in zip(services, states, strict=True)),
    ]


def listening(proc: Path) -> dict[int, set[str]]:
    """The TCP ports that somebody listens on, each with the inodes of the sockets: /proc/net/tcp of proc(5)."""
    found: dict[int, set[str]] = {}
    for name in ("tcp", "tcp6"):
        path = proc / "net" / name
        for line in path.read_text(encoding="ascii").splitlines()[1:] if path.exists() else ():
            fields = line.split()
            if fields[3] == _LISTEN:
                found.setdefault(int(fields[1].rpartition(":")[2], 16), set()).add(fields[9])
    return found


def _shared(ports: Mapping[Service, int]) -> list[Finding]:
    found = []
    for port in sorted(set(ports.values())):
        first, *others = [service for service, wanted in ports.items() if wanted == port]
        if others:
            why = f"port {port} is meant for {first.name} and for {' and '.join(other.name for other in others)}"
            found.append(Finding("wrong", why, f"set {others[-1].port_variable} to another in the env file"))
    return found


def _one(service: Service, state: UnitState, port: int, sockets: Mapping[int, set[str]], proc: Path) -> Finding:
    pid, holders = state.number("MainPID"), sockets.get(port, set())
    if not pid:
        if holders:
            why = f"port {port} of {service.name}, which does not run, is taken"
            return Finding("wrong", why, f"ss -ltnp sport = :{port}")
        return Finding("ok", f"port {port} is free for {service.name}")
    try:
        own = _sockets_of(pid, proc)
    except OSError:
        return Finding("unknown", f"which sockets {service.name} has may not be looked at")
    if holders & own:
        return Finding("ok", f"{service.name} listens on port {port}")
    why = f"{service.name} runs and does not listen on port {port}, as the env files say now"
    return Finding("wrong", why, f"juniper-ctl restart {service.name}")


def _sockets_of(pid: int, proc: Path) -> set[str]:
    inodes = set()
    for path in (proc / str(pid) / "fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            link = str(path.readlink())
            if link.startswith("socket:["):
                inodes.add(link[len("socket:[") : -1])
    return inodes
