"""What Ansible's modules make of `juniper-ctl`, of a bundle's folder, and of the files that a service reads."""

import json
import os
import sys
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.unit.playbooks.plugins import plugin

CREDENTIALS = plugin("library/juniper_credentials.py")
BUNDLE = plugin("library/juniper_bundle.py")
RELEASE = plugin("library/juniper_release.py")
RUNNING = plugin("library/juniper_running.py")
STALE = plugin("library/juniper_stale.py")


class FakeControl:
    """Answers as `juniper-ctl` does, and notes what it was asked."""

    def __init__(self, answer: dict[str, Any]) -> None:
        self.answer = answer
        self.asked: list[list[str]] = []

    def __call__(self, command: Sequence[str]) -> str:
        """One command."""
        self.asked.append(list(command))
        return json.dumps(self.answer)


def plan(**told: Any) -> dict[str, Any]:
    """What `juniper-ctl install --json` prints."""
    unit = {"path": "/u/juniper.target", "before": None, "after": "[Unit]\n"}
    return {"release": "1+b", "changes": True, "makes_release": False, "units": [unit], "current": "1+a", **told}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A bundle."""
    for name, text in (
        ("bundle.json", "{}"),
        ("requirements.txt", "a==1"),
        ("wheels/a.whl", "a"),
        ("scripts/juniper-ctl", ""),
    ):
        (tmp_path / "bundle" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "bundle" / name).write_text(text, encoding="ascii")
    return tmp_path / "bundle"


def parameters(bundle: Path, **told: Any) -> dict[str, Any]:
    """Of the module `juniper_release`."""
    return {"state": "current", "bundle": str(bundle), "services": [], "release": None, "python": None, **told}


def test_a_release_is_installed_by_the_bundles_own_program(folder: Path) -> None:
    """With the services that the host is to have; the difference is what the units were and are."""
    control = FakeControl(plan())
    result = RELEASE.install(parameters(folder, services=["data", "canopy"]), control, is_check=False)
    command = [sys.executable, f"{folder}/scripts/juniper-ctl", "install", "--json"]
    command += ["--service=data", "--service=canopy"]
    assert control.asked == [[*command, "--diff"], command]
    assert (result["changed"], result["release"], result["before"]) == (True, "1+b", "1+a")
    assert result["diff"][0]["before"] == ""
    assert result["diff"][0]["after"] == "[Unit]\n"


def test_check_mode_only_asks_for_the_difference(folder: Path) -> None:
    """Of what is to be current and of what is to be prepared."""
    for state in ("current", "prepared"):
        control = FakeControl(plan())
        RELEASE.install(parameters(folder, state=state), control, is_check=True)
        assert control.asked[0][-1] == "--diff"


def test_a_service_that_the_host_is_no_longer_to_have_is_stopped_before_its_unit_goes(folder: Path) -> None:
    """What else goes with it is systemd's to end."""
    names = ("juniper-canopy.service", "juniper-canopy.service.d/50-x.conf", "juniper-health@.service")
    units = [{"path": f"/u/{name}", "before": "[Unit]", "after": None} for name in names]
    control = FakeControl(plan(units=units))
    RELEASE.install(parameters(folder), control, is_check=False)
    assert control.asked[1] == ["systemctl", "--user", "stop", "juniper-canopy.service"]
    assert control.asked[2][-2:] == ["install", "--json"]


def test_check_mode_of_a_bare_host_says_that_it_would_change(tmp_path: Path) -> None:
    """The bundle is not there, so nothing can be asked."""
    control = FakeControl(plan())
    assert RELEASE.install(parameters(tmp_path / "none"), control, is_check=True)["changed"] is True
    assert control.asked == []


def test_to_prepare_changes_something_only_where_the_release_is_not_made(folder: Path) -> None:
    """Units that are still to change are no change of this."""
    control = FakeControl(plan())
    assert RELEASE.install(parameters(folder, state="prepared"), control, is_check=False)["changed"] is False
    assert control.asked[0][-1] == "--prepare"


def kept(current: str, before: str | None = "1+b") -> dict[str, Any]:
    """What `juniper-ctl releases --json` prints, and which one the newest took the place of."""
    told = [{"release": name, "is_current": name == current, "before": None} for name in ("1+c", "1+b", "1+a")]
    told[0]["before"] = before
    return {"releases": told}


@pytest.mark.parametrize(
    ("release", "chosen", "changed"), [(None, "1+b", True), ("1+a", "1+a", True), ("1+c", "1+c", False)]
)
def test_check_mode_says_to_which_release_it_would_go_back(release: str | None, chosen: str, changed: bool) -> None:
    """To the one before the newest, or to the one that is named."""
    result = RELEASE.go_back({"release": release}, FakeControl(kept("1+c")), is_check=True)
    assert (result["release"], result["changed"]) == (chosen, changed)


def test_a_release_that_was_tried_and_taken_back_is_passed_over() -> None:
    """The newest took the place of the one that served before."""
    result = RELEASE.go_back({"release": None}, FakeControl(kept("1+c", before="1+a")), is_check=True)
    assert result["release"] == "1+a"


def test_a_host_that_does_not_run_the_newest_release_has_nothing_to_take_back() -> None:
    """It went back before, or the upgrade did not come to it: a second `rollback.yml` must not go further back."""
    result = RELEASE.go_back({"release": None}, FakeControl(kept("1+b")), is_check=True)
    assert (result["release"], result["changed"]) == ("1+b", False)


def test_the_only_release_is_not_taken_back() -> None:
    """There is none to go to."""
    only = {"releases": [{"release": "1+a", "is_current": True, "before": None}]}
    with pytest.raises(RELEASE.RefusedError, match="no earlier release"):
        RELEASE.go_back({"release": None}, FakeControl(only), is_check=True)


def test_a_release_that_is_not_kept_is_refused() -> None:
    """In check mode too."""
    with pytest.raises(RELEASE.RefusedError, match="no release 2"):
        RELEASE.go_back({"release": "2"}, FakeControl(kept("1+c")), is_check=True)


def test_what_runs_from_another_release_or_not_at_all_is_restarted() -> None:
    """In the order in which `juniper-ctl status` tells of them; of one that does not run it names what would start."""
    services = [
        {"service": "data", "pid": 10, "version": "1+a"},
        {"service": "cascor", "pid": 11, "version": "1+b"},
        {"service": "canopy", "pid": None, "version": "1+b"},
    ]
    assert RUNNING.not_from("1+b", services) == ["data", "canopy"]
    assert RUNNING.from_another("1+b", services) == ["data"]


def test_a_service_is_ready_that_answers_so_whatever_other_hosts_lack() -> None:
    """Degraded is ready; one that does not answer, or says that it is not ready, is late, and why is told."""
    services = [
        {"service": "data", "http_status": 200, "status": "ready", "why": ""},
        {"service": "cascor", "http_status": 200, "status": "degraded", "why": "juniper_data: nobody answers"},
        {"service": "canopy", "http_status": 503, "status": "not_ready", "why": "pages: no file"},
    ]
    assert RUNNING.not_ready(services) == {"canopy": "pages: no file"}
    assert RUNNING.not_ready([{"service": "data", "http_status": None, "status": "stopped", "why": ""}]) == {
        "data": "stopped"
    }


def test_a_bundle_is_packed_with_its_description_last(folder: Path, tmp_path: Path) -> None:
    """So one that was unpacked in part has none. Nobody's account is in it; folders are, so that they get one there."""
    BUNDLE.pack(folder, tmp_path / "b.tar")
    with tarfile.open(tmp_path / "b.tar") as tar:
        members = tar.getmembers()
    assert members[-1].name == "bundle.json"
    assert {member.name for member in members} == {
        "bundle.json",
        "requirements.txt",
        "wheels",
        "wheels/a.whl",
        "scripts",
        "scripts/juniper-ctl",
    }
    assert {(member.uname, member.uid) for member in members} == {("root", 0)}


def test_another_wheel_makes_another_bundle(folder: Path) -> None:
    """The requirements have a checksum of each."""
    before = BUNDLE.key_of(folder)
    assert BUNDLE.key_of(folder) == before
    (folder / "requirements.txt").write_text("a==2", encoding="ascii")
    assert BUNDLE.key_of(folder) != before


def test_a_packed_bundle_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    """And of no other kind's."""
    old, new = "0" * 16, "f" * 16
    for name in (f"cpu-{old}", f"cpu-{new}", f"cpu-redis-{old}", f"gpu-{old}"):
        (tmp_path / f"{name}.tar").touch()
    BUNDLE.prune(tmp_path / f"cpu-{new}.tar", "cpu")
    assert {path.stem for path in tmp_path.iterdir()} == {f"cpu-{new}", f"cpu-redis-{old}", f"gpu-{old}"}


def test_what_was_changed_since_a_service_was_started_is_named(tmp_path: Path) -> None:
    """A link is changed when it is pointed elsewhere, though what it leads to is older; what is not there is not."""
    old, new, link = tmp_path / "old", tmp_path / "new", tmp_path / "link"
    for path, changed_s in ((old, 100), (new, 300)):
        path.touch()
        os.utime(path, (changed_s, changed_s))
    link.symlink_to(old)
    os.utime(link, (400, 400), follow_symlinks=False)
    assert STALE.newer_than(200.0, [old, new, link, tmp_path / "none"]) == [str(new), str(link)]


def test_a_service_reads_what_its_unit_names() -> None:
    """Its files, those of its environment, and its credentials; and the link that says which release it is."""
    properties = {
        "FragmentPath": "/u/juniper-data.service",
        "DropInPaths": "/u/a.conf /u/b.conf",
        "EnvironmentFiles": "/h/.config/juniper/juniper.env (ignore_errors=yes) /h/data.env (ignore_errors=yes)",
    }
    text = "[Service]\nLoadCredential=keys:%h/.config/juniper/credentials/keys\n"
    assert [str(path) for path in STALE.read_by(properties, text, Path("/h"))] == [
        "/h/.local/lib/juniper/current",
        "/u/juniper-data.service",
        "/u/a.conf",
        "/u/b.conf",
        "/h/.config/juniper/juniper.env",
        "/h/data.env",
        "/h/.config/juniper/credentials/keys",
    ]


def test_a_credential_is_outdated_where_its_text_is_another_one_or_it_is_not_there(tmp_path: Path) -> None:
    """An empty one is as good as any."""
    credentials = {"same": "a", "other": "b", "missing": "", "empty": ""}
    for name, text in (("same", "a"), ("other", "b\n"), ("empty", "")):
        (tmp_path / name).write_text(text, encoding="ascii")
    assert CREDENTIALS.outdated(tmp_path, credentials) == ["other", "missing"]


def test_a_credential_is_for_its_owner_alone_from_the_first_moment(tmp_path: Path) -> None:
    """And no half of it is ever there."""
    (tmp_path / "key").write_text("before", encoding="ascii")
    (tmp_path / "key").chmod(0o644)
    CREDENTIALS.write(tmp_path / "key", "ü")
    assert (tmp_path / "key").read_bytes() == "ü".encode()
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["key"]
