"""Two booted hosts, and Ansible's playbooks run on them over ssh: by an administrator who is not root."""

import contextlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.host.booted_host import BootedHost, booted_host
from tests.host.installed_host import ROOT

ADMIN = "deploy"
KEYS = {f"juniper_{name}_api_keys": f"of-{name}-0123456789abcdef" for name in ("data", "cascor", "canopy")}
GROUPS: Mapping[str, tuple[str, ...]] = {"data": ("a",), "cascor": ("b",), "canopy": ("a",)}

_SSH = "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR"
_RECAP = re.compile(r"^(\S+)\s+: (ok=\d+ .*)$", re.MULTILINE)


def key(service: str) -> dict[str, str]:
    """What a caller shows to a service."""
    return {"X-API-Key": KEYS[f"juniper_{service}_api_keys"]}


def as_account(host: BootedHost, command: str) -> str:
    """What a command says that is typed as the account of the services."""
    typed = f'cd; export XDG_RUNTIME_DIR=/run/user/$(id -u) PATH="$HOME/.local/bin:$PATH"; {command}'
    return host.run_as_root("runuser", "-u", "juniper", "--", "sh", "-c", f"export HOME=/home/juniper; {typed}")


@dataclass(frozen=True, slots=True)
class Played:
    """What came of a playbook."""

    code: int
    output: str

    @property
    def recap(self) -> dict[str, dict[str, int]]:
        """Ansible's own count for each host: ok, changed, unreachable, failed, skipped."""
        rows = {host: counts.split() for host, counts in _RECAP.findall(self.output)}
        return {host: {word.split("=")[0]: int(word.split("=")[1]) for word in words} for host, words in rows.items()}

    def require(self) -> "Played":
        """Itself, if it came to its end."""
        assert self.code == 0, self.output[-8000:]
        return self


@dataclass(frozen=True, slots=True)
class Fleet:
    """Host a has datasets and the dashboard, host b trains."""

    hosts: Mapping[str, BootedHost]
    folder: Path
    variables: dict[str, Any] = field(default_factory=dict)
    """Of all hosts."""

    def play(
        self,
        playbook: str,
        *arguments: str,
        groups: Mapping[str, tuple[str, ...]] = GROUPS,
        more: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> Played:
        """Run a playbook of this checkout.

        Args:
            playbook: its name.
            arguments: as a person types them.
            groups: which host has which service.
            more: variables of single hosts.
        """
        hosts = {name: {**self._login(name), **(more or {}).get(name, {})} for name in self.hosts}
        children = {group: {"hosts": dict.fromkeys(names)} for group, names in groups.items()}
        inventory = self.folder / "hosts.json"
        told = {"all": {"vars": self.variables, "hosts": hosts, "children": children}}
        inventory.write_text(json.dumps(told), encoding="utf-8")
        program = Path(sys.executable).with_name("ansible-playbook")
        ended = subprocess.run(
            [program, "--inventory", inventory, *arguments, playbook],
            cwd=ROOT / "ansible",
            env={**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_HOME": str(self.folder / "ansible")},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return Played(ended.returncode, ended.stdout)

    def boot_again(self, name: str) -> None:
        """A host whose power was cut."""
        self.hosts[name].boot()
        _connect(self.hosts[name])
        self.hosts[name].wait_for_user()

    def url(self, host: str, port: int, path: str) -> str:
        """Of a service."""
        return f"http://{self.hosts[host].address}:{port}{path}"

    def _login(self, name: str) -> dict[str, str]:
        host = self.hosts[name]
        return {
            "ansible_host": host.address,
            "ansible_user": host.user,
            "ansible_ssh_private_key_file": str(host.key),
            "ansible_ssh_common_args": _SSH,
        }


@contextlib.contextmanager
def booted_fleet(folder: Path, bundle: Path) -> Iterator[Fleet]:
    """Two bare hosts that reach each other."""
    with contextlib.ExitStack() as cleanup:
        hosts = {name: cleanup.enter_context(booted_host(ADMIN, is_admin=True)) for name in ("a", "b")}
        for host in hosts.values():
            _connect(host)
        yield Fleet(hosts, folder, {"juniper_bundle": str(bundle), "juniper_credentials": KEYS})


def _connect(host: BootedHost) -> None:
    """Have it reach the others: of its cable alone, so the setting ends with it, and is no other test run's."""
    Path(f"/proc/sys/net/ipv4/conf/ve-{host.name}/forwarding").write_text("1", encoding="ascii")


@dataclass(frozen=True, slots=True)
class Rollout:
    """The fleet with everything on it, and how it came to that."""

    fleet: Fleet
    checked: Played
    """In check mode, when the hosts were bare."""
    refused: Played
    """With an inventory that is wrong, when they were bare."""
    changed_by_these: str
    """What of Juniper was on the hosts after both."""
    first: Played


WRONG: Mapping[str, Mapping[str, Any]] = {
    "a": {"juniper_data_port": 99_999, "juniper_profile": "prodution", "juniper_cascorr_env": {}},
    "b": {"juniper_address": "300.1.1.1", "juniper_env": {"JUNIPER_CASCOR_LOG_LEVL": "DEBUG"}},
}


def roll_out(fleet: Fleet) -> Rollout:
    """From bare to all ready, with a look before at what changes nothing."""
    checked = fleet.play("site.yml", "--check", "--diff")
    refused = fleet.play("site.yml", more=WRONG)
    looked_for = "getent passwd juniper; ls -d /home/juniper /var/lib/systemd/linger/juniper 2>/dev/null; true"
    found = "".join(host.run_as_root("sh", "-c", looked_for) for host in fleet.hosts.values())
    return Rollout(fleet, checked, refused, found, fleet.play("site.yml"))
