"""Ansible on two hosts that call each other with TLS, with keys of a vault, behind a firewall."""

import contextlib
import re
import shutil
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.host.fleet import GROUPS, Fleet, Played, Rollout
from tests.host.user_units import eventually

# Eleven playbooks: a quarter of an hour.
pytestmark = [pytest.mark.host, pytest.mark.soak, pytest.mark.timeout(3600)]

PASSWORD = "of-the-vault-0123456789"  # noqa: S105 - of a vault that this test makes
PASSPHRASE = "of-the-ca-0123456789"  # noqa: S105 - of a CA that this test makes
KEYS = {f"juniper_{name}_api_keys": f"of-{name}-from-the-vault" for name in GROUPS}
PORTS = {"data": 8100, "cascor": 8200, "canopy": 8050}


@dataclass(frozen=True, slots=True)
class Between:
    """The fleet with TLS, and a vault beside the inventory."""

    fleet: Fleet
    played: list[Played] = field(default_factory=list)

    @property
    def certificates(self) -> Path:
        """Where the playbook lays them if it is not told anything else."""
        return self.fleet.folder / "certificates"

    @property
    def password_file(self) -> Path:
        """What opens the vault."""
        return self.fleet.folder / "vault-password"

    def play(self, playbook: str, *arguments: str, **told: Any) -> Played:
        """Run a playbook with the vault, as talkative as it can be."""
        options = ("--vault-password-file", str(self.password_file), "--diff", "-vvv")
        self.played.append(self.fleet.play(playbook, *options, *arguments, **told))
        return self.played[-1]

    def encrypted(self, name: str, text: str) -> str:
        """A variable as `ansible-vault encrypt_string` prints it."""
        program = Path(sys.executable).with_name("ansible-vault")
        options = ["--vault-password-file", str(self.password_file), "--stdin-name", name]
        command = [str(program), "encrypt_string", *options]
        return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout

    def url(self, service: str, path: str) -> str:
        """Of a service."""
        return self.fleet.url(GROUPS[service][0], PORTS[service], path).replace("http:", "https:")

    def caller(self, service: str) -> httpx.Client:
        """Believes the CA alone, and shows the key of a service."""
        believed = ssl.create_default_context(cafile=self.certificates / "ca.pem")
        key = KEYS[f"juniper_{service}_api_keys"]
        return httpx.Client(verify=believed, base_url=self.url(service, ""), headers={"X-API-Key": key}, timeout=60)


@pytest.fixture(scope="module")
def between(rollout: Rollout) -> Iterator[Between]:
    """The fleet as this file's tests want it; at the end as it was, since other files' tests have it too."""
    told = Between(rollout.fleet)
    variables = told.fleet.folder / "group_vars"
    variables.mkdir()
    told.password_file.write_text(PASSWORD, encoding="ascii")
    keys = "".join(told.encrypted(name, text) for name, text in KEYS.items())
    lines = ["juniper_tls: true", told.encrypted("juniper_ca_passphrase", PASSPHRASE), "juniper_credentials:"]
    (variables / "all.yml").write_text("\n".join((*lines, re.sub("^", "  ", keys, flags=re.MULTILINE))), "utf-8")
    try:
        told.play("certificates.yml").require()
        told.play("site.yml").require()
        yield told
    finally:
        shutil.rmtree(variables)
        rollout.fleet.play("site.yml").require()


def test_a_dataset_of_one_host_is_trained_on_by_the_other_and_shown_by_the_first(between: Between) -> None:
    """The services believe each other, and show the keys of the vault."""
    body = {"generator": "xor", "params": {"seed": 11}}
    with between.caller("data") as data, between.caller("cascor") as cascor, between.caller("canopy") as canopy:
        dataset = data.post("/v1/datasets", json=body).raise_for_status().json()["meta"]["dataset_id"]
        run = {"dataset": {"dataset_id": dataset}, "params": {"max_epochs": 5}, "start_fresh": True}
        run_id = cascor.post("/v1/training/start", json=run).raise_for_status().json()["data"]["run_id"]

        def shown() -> Any:
            return canopy.get("/api/status").raise_for_status().json()

        eventually(lambda: shown()["run_id"] == run_id, "the dashboard shows the run")
        assert shown()["dataset_id"] == dataset


@pytest.mark.parametrize("service", list(GROUPS))
def test_no_service_speaks_plain_http(between: Between, service: str) -> None:
    """It hangs up, and says nothing."""
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(between.url(service, "/v1/health").replace("https:", "http:"))


def test_the_controller_keeps_what_it_made_to_itself(between: Between) -> None:
    """The CA's key cannot be used without its passphrase."""
    paths = (between.certificates, *between.certificates.rglob("*"))
    assert {(path.is_dir(), path.stat().st_mode & 0o777) for path in paths} == {(True, 0o700), (False, 0o600)}
    assert "ENCRYPTED" in (between.certificates / "ca.key").read_text(encoding="ascii")


def test_a_second_run_changes_nothing(between: Between) -> None:
    """Neither certificates nor hosts."""
    for playbook in ("certificates.yml", "site.yml"):
        second = between.play(playbook).require()
        assert {host: counts["changed"] for host, counts in second.recap.items()} == {"a": 0, "b": 0}


def test_without_certificates_nothing_is_changed(between: Between, tmp_path: Path) -> None:
    """It says what makes them, of each host."""
    refused = between.play("site.yml", "--extra-vars", f"juniper_tls_folder={tmp_path}")
    assert refused.code != 0
    for host in ("a", "b"):
        assert f"{host}: juniper_tls is true, and it has no certificate: ansible-playbook certific" in refused.output
    assert {counts["changed"] for counts in refused.recap.values()} == {0}


def test_renewed_certificates_are_brought_in_the_order_of_the_start(between: Between) -> None:
    """Each service shows another one, and is started after those that it calls."""
    before = {service: served(between, service) for service in GROUPS}
    between.play("certificates.yml", "--extra-vars", "juniper_renew=true").require()
    between.play("site.yml", "--tags", "juniper_settings").require()
    assert all(served(between, service) != before[service] for service in GROUPS)
    # One clock: the hosts have one kernel.
    started = [int(shown(between, service, "ExecMainStartTimestampMonotonic")) for service in PORTS]
    assert started == sorted(started)
    assert between.caller("canopy").get("/v1/health/ready").status_code == 200


def served(between: Between, service: str) -> str:
    """The certificate that a service shows."""
    address = between.fleet.hosts[GROUPS[service][0]].address
    return ssl.get_server_certificate((address, PORTS[service]), ca_certs=str(between.certificates / "ca.pem"))


def shown(between: Between, service: str, *properties: str) -> str:
    """What systemd shows of a service."""
    options = [f"--property={each}" for each in properties] + (["--value"] if properties else [])
    host = between.fleet.hosts[GROUPS[service][0]]
    return host.run_as_root("systemctl", "--user", "-M", "juniper@", "show", f"juniper-{service}", *options).strip()


def test_no_secret_is_in_a_log_or_diff(between: Between) -> None:
    """Neither in what the playbooks said of all of the above, nor in what the hosts noted, nor in an environment."""
    private = [path.read_text(encoding="ascii").splitlines()[1:-1] for path in between.certificates.rglob("*.key")]
    secrets = [PASSWORD, PASSPHRASE, *KEYS.values(), *(line for lines in private for line in lines)]
    told = [played.output for played in between.played]
    for host in between.fleet.hosts.values():
        told.append(host.run_as_root("journalctl", "--no-pager", "--all", "--output=verbose"))
        # What Ansible's modules note of themselves is among it: so it is looked through.
        assert "Invoked with" in told[-1]
        words = " ".join(f"-e {secret}" for secret in secrets)
        assert host.run_as_root("sh", "-c", f"grep -rlaF {words} /var/log /run/log || true") == ""
    for service in GROUPS:
        process = shown(between, service, "MainPID")
        environment = between.fleet.hosts[GROUPS[service][0]].run_as_root("cat", f"/proc/{process}/environ")
        assert "CREDENTIALS_DIRECTORY=" in environment
        told += [environment, shown(between, service)]
    assert not [secret for secret in secrets for text in told if secret in text]
    assert not [text for text in told if "PRIVATE KEY-----" in text]


def test_a_firewall_lets_the_other_host_through_and_nobody_else(between: Between) -> None:
    """This machine sees the dashboard, where it is named, and logs in as before; turned off, all is as it was."""
    a, b = between.fleet.hosts["a"], between.fleet.hosts["b"]
    ask = ("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-k", between.url("data", "/v1/datasets"))
    own = f"10.77.{a.number}.1"
    more = {"a": {"juniper_firewall": True, "juniper_dashboard_from": [own]}}
    on = between.play("site.yml", "--tags", "juniper_firewall", more=more).require()
    assert (on.recap["a"]["changed"] > 0, on.recap["b"]["changed"]) == (True, 0)
    for _ in ("as loaded by Ansible", "when nftables has thrown all tables away"):
        assert b.run_as_root(*ask) == "401"
        assert a.run_as_root(*ask) == "401"
        assert not is_open(a.address, PORTS["data"])
        assert is_open(a.address, PORTS["canopy"])
        assert is_open(b.address, PORTS["cascor"])
        a.run_as_root("systemctl", "restart", "nftables.service")
    second = between.play("site.yml", "--tags", "juniper_firewall", more=more).require()
    assert {host: counts["changed"] for host, counts in second.recap.items()} == {"a": 0, "b": 0}

    between.play("site.yml", "--tags", "juniper_firewall").require()
    assert is_open(a.address, PORTS["data"])
    assert "inet juniper" not in a.run_as_root("nft", "list", "tables")


def is_open(address: str, port: int) -> bool:
    """Whether this machine gets through; what is dropped is never answered."""
    with contextlib.suppress(TimeoutError), socket.create_connection((address, port), timeout=5):
        return True
    return False
