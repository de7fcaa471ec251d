"""Ansible moves two hosts to another release and back: under load, to one that is bad, and through a power cut."""

import hashlib
import json
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from juniper_common.wire.training import TrainingStatus
from tests.host.fleet import Fleet, Played, Rollout, key
from tests.host.fleet_load import Told, load, repeated
from tests.host.training import NEVER_SOLVED
from tests.host.user_units import eventually

pytestmark = [pytest.mark.host, pytest.mark.timeout(1800)]

NEVER_READY = """
[Service]
ExecStart=
ExecStart=/bin/sh -c "echo here is no dashboard; exec sleep 60"
TimeoutStartSec=5
"""


def another(bundle: Path, folder: Path) -> Path:
    """A bundle of the same wheels that makes another release."""
    shutil.copytree(bundle, folder, copy_function=os.link)
    told = json.loads((bundle / "bundle.json").read_text(encoding="utf-8"))
    (folder / "bundle.json").unlink()
    (folder / "bundle.json").write_text(json.dumps({**told, "digest": folder.name}), encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def newer(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of another release."""
    return another(bundle, tmp_path_factory.mktemp("bundles") / "newer")


@pytest.fixture(scope="session")
def bad(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of a release whose dashboard never becomes ready."""
    folder = another(bundle, tmp_path_factory.mktemp("bundles") / "bad")
    drop_in = folder / "systemd/user/juniper-canopy.service.d/95-never-ready.conf"
    drop_in.parent.mkdir()
    drop_in.write_text(NEVER_READY, encoding="utf-8")
    return folder


def upgrade(fleet: Fleet, bundle: Path) -> Played:
    """To the release of a bundle."""
    return fleet.play("upgrade.yml", "--extra-vars", f"juniper_bundle={bundle}")


def current(fleet: Fleet, host: str) -> str:
    """The release that the units of a host start."""
    link = "/home/juniper/.local/lib/juniper/current"
    return fleet.hosts[host].run_as_root("readlink", link).strip().rpartition("/")[-1]


def running(fleet: Fleet, host: str) -> dict[str, tuple[str, int]]:
    """The release and the process of each service of a host that is ready."""
    asked = "~/.local/bin/juniper-ctl status --json || true"
    told = json.loads(fleet.hosts[host].run_as_root("su", "--login", "juniper", "--command", asked))
    return {each["service"]: (each["version"], each["pid"]) for each in told["services"] if each["is_ready"]}


def require_all_from(fleet: Fleet, release: str) -> None:
    """All services of both hosts run from it and are ready."""
    for host, names in (("a", {"data", "canopy"}), ("b", {"cascor"})):
        services = running(fleet, host)
        assert set(services) == names
        assert {version for version, _ in services.values()} == {release}
        assert current(fleet, host) == release


def reads(fleet: Fleet, *hosts: str) -> dict[str, dict[str, str]]:
    """What callers of these hosts read, with the keys that they show."""
    calls = {
        "a": {fleet.url("a", 8100, "/v1/datasets"): key("data"), fleet.url("a", 8050, "/api/status"): key("canopy")},
        "b": {fleet.url("b", 8200, "/v1/runs"): key("cascor")},
    }
    return {url: headers for host in hosts for url, headers in calls[host].items()}


def trained(fleet: Fleet) -> TrainingStatus:
    """Where the run of host b stands."""
    answer = httpx.get(fleet.url("b", 8200, "/v1/training/status"), headers=key("cascor"), timeout=60)
    return TrainingStatus.model_validate(answer.raise_for_status().json()["data"])


def start_training(fleet: Fleet) -> None:
    """One that goes on for hours, of a dataset that host a makes."""
    body = {"dataset": NEVER_SOLVED, "params": {"seed": 1, "pace": 10, "max_hidden_units": 1_000}}
    for path, told in (("stop", {}), ("start", {**body, "start_fresh": True})):
        url = fleet.url("b", 8200, f"/v1/training/{path}")
        answer = httpx.post(url, json=told, headers=key("cascor"), timeout=60)
    answer.raise_for_status()
    eventually(lambda: trained(fleet).monitor.current_epoch > 0, "it trains")


def datasets(fleet: Fleet) -> dict[str, str]:
    """The checksum of what host a gives of each dataset that it has."""
    url = fleet.url("a", 8100, "/v1/datasets")
    names = httpx.get(url, headers=key("data"), timeout=60).raise_for_status().json()
    artifacts = {name: httpx.get(f"{url}/{name}/artifact", headers=key("data"), timeout=60) for name in names}
    return {name: hashlib.sha256(got.raise_for_status().content).hexdigest() for name, got in artifacts.items()}


@dataclass(frozen=True, slots=True)
class Upgraded:
    """The fleet on a newer release, and what the way there was like."""

    fleet: Fleet
    first: str
    newer: str
    calls: Mapping[str, Told]
    datasets: dict[str, str]
    """Before."""
    before: TrainingStatus
    after: TrainingStatus
    epochs: list[int]
    """What the training service said meanwhile of where the run stands, in the order of the answers."""


@pytest.fixture(scope="module")
def upgraded(rollout: Rollout, newer: Path) -> Iterator[Upgraded]:
    """The fleet, moved under load with a training under way; in the end it is what other tests know."""
    rollout.first.require()
    fleet = rollout.fleet
    first = current(fleet, "a")
    start_training(fleet)
    made, before = datasets(fleet), trained(fleet)
    with load(reads(fleet, "a", "b")) as calls, repeated(lambda: trained(fleet)) as told:
        upgrade(fleet, newer).require()
    epochs = [status.monitor.current_epoch for status in told if status.training_active]
    yield Upgraded(fleet, first, current(fleet, "a"), calls, made, before, trained(fleet), epochs)
    fleet.play("site.yml").require()


def test_both_hosts_serve_from_the_newer_release(upgraded: Upgraded) -> None:
    """Each of their services was started from it."""
    assert upgraded.newer != upgraded.first
    require_all_from(upgraded.fleet, upgraded.newer)


def test_no_read_is_lost_meanwhile(upgraded: Upgraded) -> None:
    """Of none of the three services, for a caller who tries once more."""
    for url, told in upgraded.calls.items():
        assert told.answered > 0
        assert told.lost == [], url


def test_the_training_goes_on_where_it_was(upgraded: Upgraded) -> None:
    """As the same run, and no epoch that was told of is trained anew."""
    before, after = upgraded.before, upgraded.after
    assert (after.run_id, after.training_active) == (before.run_id, True)
    assert after.monitor.current_epoch > before.monitor.current_epoch
    assert upgraded.epochs
    assert upgraded.epochs == sorted(upgraded.epochs)
    eventually(lambda: trained(upgraded.fleet).monitor.current_epoch > after.monitor.current_epoch, "it trains further")


def test_no_dataset_is_lost(upgraded: Upgraded) -> None:
    """Each is there with the checksum that it had."""
    assert upgraded.datasets
    assert datasets(upgraded.fleet) == upgraded.datasets


def test_a_second_upgrade_changes_nothing(upgraded: Upgraded, newer: Path) -> None:
    """Where all is on the release already, no process is another one."""
    before = {host: running(upgraded.fleet, host) for host in upgraded.fleet.hosts}
    second = upgrade(upgraded.fleet, newer).require()
    assert {host: counts["changed"] for host, counts in second.recap.items()} == {"a": 0, "b": 0}
    assert {host: running(upgraded.fleet, host) for host in upgraded.fleet.hosts} == before


def test_all_go_back_with_one_playbook_and_no_further_with_a_second(
    upgraded: Upgraded, record_property: Callable[[str, object], None]
) -> None:
    """To the release before; a host that is back already is left alone."""
    began = time.monotonic()
    upgraded.fleet.play("rollback.yml").require()
    record_property("rollback_s", round(time.monotonic() - began, 1))
    require_all_from(upgraded.fleet, upgraded.first)
    second = upgraded.fleet.play("rollback.yml").require()
    assert {host: counts["changed"] for host, counts in second.recap.items()} == {"a": 0, "b": 0}


def test_a_release_that_does_not_become_ready_is_taken_back_and_goes_no_further(upgraded: Upgraded, bad: Path) -> None:
    """On the first host, whose old one serves again; the other host's process is the one that it was."""
    fleet = upgraded.fleet
    trainer = running(fleet, "b")
    with load(reads(fleet, "b")) as calls:
        played = upgrade(fleet, bad)
    assert played.code != 0
    for said in ("canopy does not start: timeout", f"{upgraded.first} serves again", "here is no dashboard"):
        assert said in played.output
    require_all_from(fleet, upgraded.first)
    assert running(fleet, "b") == trainer
    assert [told.lost for told in calls.values()] == [[]]


def test_a_host_that_dies_half_way_leaves_the_other_serving_and_the_next_run_repairs_it(
    upgraded: Upgraded, newer: Path
) -> None:
    """Its power is cut when it has the newer release and its services are being restarted."""
    fleet = upgraded.fleet
    played: list[Played] = []
    upgrading = threading.Thread(target=lambda: played.append(upgrade(fleet, newer)))
    with load(reads(fleet, "b")) as calls:
        upgrading.start()
        while upgrading.is_alive() and current(fleet, "a") != upgraded.newer:
            time.sleep(0.02)
        fleet.hosts["a"].cut_power()
        upgrading.join()
    assert played[0].recap["a"]["unreachable"] == 1
    assert current(fleet, "b") == upgraded.first
    assert [told.lost for told in calls.values()] == [[]]
    fleet.boot_again("a")
    upgrade(fleet, newer).require()
    require_all_from(fleet, upgraded.newer)
    assert datasets(fleet) == upgraded.datasets
