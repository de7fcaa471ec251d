"""Runs in the services' sandbox as juniper-probe@.service, and writes down what it can reach, for `juniper-ctl doctor`.

It tries for real: a directive that systemd accepts without enforcing it is told apart from one that works.
"""

import json
import os
import re
import socket
import stat
import sys
from contextlib import suppress
from pathlib import Path

from juniper_ctl.release import write_atomically

FACTS = "facts.json"
"""In the probe's state folder."""


def attempts(nonce: str, home: Path, code: Path) -> list[Path]:
    """What the probe tries to make; whether it did is seen from outside, since some folders are throwaway inside."""
    folders = (home, home / ".config", code, Path("/tmp"), Path("/var/tmp"), Path("/usr"), Path("/etc"))  # noqa: S108
    return [folder / f".juniper-probe-{nonce}" for folder in folders]


def main() -> None:
    """`python -m juniper_ctl.doctor.sandbox_probe NONCE HOME CODE`: the nonce tells this run's facts and files."""
    nonce, home, code = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    for path in attempts(nonce, home, code):
        with suppress(OSError):  # as it should be
            path.touch()
    runtime = Path(f"/run/user/{os.getuid()}")
    managers = (runtime / "bus", runtime / "systemd/private", Path("/run/dbus/system_bus_socket"))
    secrets = (home / ".ssh", home / ".config/juniper/credentials")
    facts = {
        "nonce": nonce,
        "reached": [str(path) for path in managers if _connects(path)],
        "seen": [str(path) for path in secrets if path.exists()],
        "status": _status(Path("/proc/self/status").read_text(encoding="ascii")),
        "devices": sorted(str(path) for path in Path("/dev").rglob("*") if _is_device(path)),
    }
    write_atomically(Path(os.environ["STATE_DIRECTORY"]) / FACTS, json.dumps(facts))


def _connects(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        return client.connect_ex(str(path)) == 0


def _is_device(path: Path) -> bool:
    mode = path.lstat().st_mode
    return stat.S_ISCHR(mode) or stat.S_ISBLK(mode)


def _status(text: str) -> dict[str, str]:
    """What the kernel holds the process to."""
    return dict(re.findall(r"^(CapBnd|NoNewPrivs|Seccomp):\s*(\S+)$", text, re.MULTILINE))


if __name__ == "__main__":
    main()
