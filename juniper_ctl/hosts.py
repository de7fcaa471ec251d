"""How the services of many hosts are, as Ansible's `check.yml` finds them: one table, or a document."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from juniper_ctl.checkout import Checkout
from juniper_ctl.errors import ControlError, Exit
from juniper_ctl.gpu_use import Gpu
from juniper_ctl.progress import print_json
from juniper_ctl.table import duration, printable, size, table

HEADER = ("HOST", "SERVICE", "RELEASE", "STATE", "READY", "GPU", "DISK", "BACKUP")


@dataclass(frozen=True, slots=True)
class HostService:
    """A service of a host, as `--json` prints it."""

    service: str
    release: str
    """That its process was started from; of one that does not run, the one that would start."""
    state: str
    """As systemd has it; `not installed` where the inventory wants it there."""
    detail: str
    health: str
    """What it says of itself, as of `juniper-ctl health`."""
    why: str
    is_ready: bool
    disk_free_bytes: int | None
    """Where it keeps its data; None: it was never started."""
    disk_total_bytes: int | None
    backup_age_s: float | None
    """Of the newest backup that has it; None: there is none."""


@dataclass(frozen=True, slots=True)
class HostState:
    """A host, as `--json` prints it."""

    host: str
    is_reached: bool
    is_installed: bool | None
    """None: nobody could tell."""
    errors: tuple[str, ...]
    gpus: tuple[Gpu, ...]
    services: tuple[HostService, ...]

    def rows(self) -> Iterator[tuple[str, ...]]:
        """For a terminal, one for each service; `HEADER` names the columns."""
        if not self.services:
            state = "unknown" if self.is_reached else "unreachable"
            yield (self.host, "-", "-", state, *("-" for _ in HEADER[4:]))
        for each in self.services:
            is_there = each.state != "not installed"
            has_data = each.disk_free_bytes is not None
            yield (
                self.host,
                each.service,
                each.release,
                each.state if each.detail in ("running", "dead", "", each.state) else f"{each.state} ({each.detail})",
                "-" if each.state in ("inactive", "not installed") else each.health,
                self._gpu_cell() if each.service == "cascor" else "-",
                f"{size(each.disk_free_bytes)} free of {size(each.disk_total_bytes)}" if has_data else "-",
                "-" if not is_there else "none" if each.backup_age_s is None else f"{duration(each.backup_age_s)} ago",
            )

    def notes(self) -> Iterator[str]:
        """What is wrong, in the words of who said so."""
        yield from (f"{self.host}: {error}" for error in self.errors)
        yield from (f"{self.host} {each.service}: {each.why}" for each in self.services if each.why)

    def verdict(self) -> Exit:
        """Failed: not reached, not told, or a service failed; degraded: one is not ready."""
        if self.errors or any(each.state == "failed" for each in self.services):
            return Exit.FAILED
        return Exit.OK if all(each.is_ready for each in self.services) else Exit.DEGRADED

    def next_command(self) -> str:
        """What to type about it, if it is not well."""
        if not self.is_reached:
            return f"ssh {self.host}"
        if self.is_installed is None:
            return f"ansible-playbook check.yml --limit {self.host} -vvv"
        if any(each.state == "not installed" for each in self.services):
            return f"ansible-playbook site.yml --limit {self.host}"
        stopped = [each.service for each in self.services if each.state == "inactive"]
        troubled = [each.service for each in self.services if not each.is_ready and each.service not in stopped]
        command = f"logs {troubled[0]}" if troubled else f"start {' '.join(stopped)}" if stopped else "doctor"
        return f"on {self.host}: juniper-ctl {command}"

    def _gpu_cell(self) -> str:
        names = Counter(gpu.name for gpu in self.gpus)
        return ", ".join(f"{count} x {name}" if count > 1 else name for name, count in names.items()) or "-"


def ask_hosts(*, inventory: str | None, limit: str | None, options: Sequence[str]) -> list[HostState]:
    """Run the playbook of this checkout.

    Args:
        inventory: a path, or hosts with commas as Ansible takes them.
        limit: a pattern of hosts.
        options: more of ansible-playbook's own.

    Raises:
        ControlError: there is no checkout, no Ansible or no host, or the playbook does not come to its end.
    """
    checkout = Checkout.require()
    folder = checkout.root / "ansible"
    if not (folder / "check.yml").is_file():
        raise ControlError(
            f"{checkout.root} is a bundle: it has no playbooks",
            next_command="cd CHECKOUT && scripts/juniper-ctl hosts",
            code=Exit.USAGE,
        )
    words = [_ansible_playbook(checkout), "check.yml", *options]
    if inventory is not None:
        # It is run in another folder.
        words.append(f"--inventory={Path(inventory).resolve() if Path(inventory).exists() else inventory}")
    words += [f"--limit={limit}"] if limit is not None else []
    with tempfile.TemporaryDirectory(prefix="juniper-") as scratch:
        kept = Path(scratch) / "hosts.json"
        ended = subprocess.run(
            [*words, "--extra-vars", json.dumps({"juniper_check_file": str(kept)})],
            cwd=folder,
            env=os.environ | {"ANSIBLE_NOCOLOR": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        if kept.is_file():
            return read_hosts(kept)
    said = [line for line in (ended.stderr or ended.stdout).splitlines() if line.strip()]
    raise ControlError(
        f"check.yml told of no host; ansible-playbook ended with {ended.returncode}: {' '.join(said[-3:])}",
        next_command=f"cd {folder} && ansible-playbook check.yml",
    )


def _ansible_playbook(checkout: Checkout) -> str:
    """On the PATH, beside this Python, or in the checkout's environment.

    Raises:
        ControlError: it is nowhere.
    """
    beside = [str(Path(sys.executable).parent), str(checkout.environment / "bin")]
    found = shutil.which("ansible-playbook", path=os.pathsep.join([os.environ.get("PATH", os.defpath), *beside]))
    if found is None:
        raise ControlError(
            "there is no ansible-playbook",
            next_command="scripts/setup --dev, or pip install 'ansible>=12,<13'",
            code=Exit.CONFIGURATION,
        )
    return found


def read_hosts(path: Path) -> list[HostState]:
    """What check.yml has kept.

    Raises:
        ControlError: it is none of its documents.
    """
    try:
        told = json.loads(path.read_text(encoding="utf-8"))["hosts"]
        return [
            HostState(
                host=each["host"],
                is_reached=each["is_reached"],
                is_installed=each["is_installed"],
                errors=tuple(each["errors"]),
                gpus=tuple(Gpu(**gpu) for gpu in each["gpus"]),
                services=tuple(HostService(**service) for service in each["services"]),
            )
            for each in told
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise ControlError(
            f"{path} is nothing that check.yml has kept: {error}",
            next_command="juniper-ctl hosts",
            code=Exit.CONFIGURATION,
        ) from None


def tell_hosts(hosts: Sequence[HostState], *, as_json: bool) -> Exit:
    """Print them."""
    verdicts = [host.verdict() for host in hosts]
    verdict = next((each for each in (Exit.FAILED, Exit.DEGRADED) if each in verdicts), Exit.OK)
    if as_json:
        print_json({"verdict": verdict.name.lower(), "hosts": [asdict(host) for host in hosts]})
        return verdict
    left = tuple(name for name in HEADER if name != "BACKUP")
    print(*table(HEADER, [row for host in hosts for row in host.rows()], left=left), sep="\n")
    for note in (note for host in hosts for note in host.notes()):
        print(printable(note))
    if verdict is not Exit.OK:
        print(f"next: {printable(hosts[verdicts.index(verdict)].next_command())}")
    return verdict
