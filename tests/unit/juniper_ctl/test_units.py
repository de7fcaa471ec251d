"""What the unit files, the settings' example and the pinned versions must agree on with the code."""

import re
import tomllib
from pathlib import Path

import pytest

from juniper_ctl.doctor.gpu_section import bound_nodes
from juniper_ctl.env_file import PROFILE_LINK, parse
from juniper_ctl.profiles import TARGETS
from juniper_ctl.services import CA, SERVICES, Service
from tests.host.sandbox import files_of

ROOT = Path(__file__).parents[3]
UNITS = ROOT / "systemd/user"


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_each_unit_asks_for_the_credentials_that_install_writes(service: Service) -> None:
    """A unit with a missing credential file does not start."""
    texts = [(UNITS / service.unit).read_text(), (UNITS / "juniper-.service.d/20-service.conf").read_text()]
    loaded = re.findall(r"^LoadCredential=(\w[\w%]*):%h/\.config/juniper/credentials/([\w%]+)$", "\n".join(texts), re.M)
    names = {name.replace("%j", service.name) for name, _ in loaded}
    assert names == set(service.credentials)
    assert all(name == file for name, file in loaded)


def test_a_check_is_handed_what_it_believes_a_service_by() -> None:
    """In its sandbox the folder is hidden; the service's keys are not for it."""
    text = (UNITS / "juniper-health@.service").read_text()
    loaded = re.findall(r"^LoadCredential=([\w%]+):%h/\.config/juniper/credentials/([\w%]+)$", text, re.M)
    assert loaded == [(name, name) for name in ("juniper_%i_tls_certificate", CA)]


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_each_unit_starts_the_program_behind_current(service: Service) -> None:
    """The link is what an installation moves."""
    assert f"ExecStart=%h/.local/lib/juniper/current/bin/{service.command}\n" in (UNITS / service.unit).read_text()


@pytest.mark.parametrize("path", sorted((ROOT / "systemd").rglob("*.*")), ids=lambda path: str(path.relative_to(ROOT)))
def test_each_group_of_directives_says_what_breaks_without_it(path: Path) -> None:
    """A group of directives follows a comment; what is plain by its name needs none."""
    if path.is_dir():
        return
    plain = ("Description=", "ExecStart=%h", "Type=oneshot")
    explained = False
    for line in path.read_text().splitlines():
        if line.startswith("#"):
            explained = True
        elif not line or line.startswith("["):
            explained = False
        elif not line.startswith(plain):
            assert explained, f"{path.name}: {line}"


def test_every_profile_can_be_started_at_boot() -> None:
    """`juniper-ctl enable` enables its target."""
    for target in TARGETS.values():
        assert "[Install]\n" in (UNITS / target).read_text()


def test_the_hosts_own_backup_is_handed_every_env_file() -> None:
    """It runs as somebody who may not read them; one that there is not must not keep it from starting."""
    text = (ROOT / "systemd/system/juniper-backup.service.d/60-host.conf").read_text()
    names = {"juniper", *TARGETS, *(service.name for service in SERVICES)}
    wanted = {PROFILE_LINK, *(f"{name}.env" for name in names)}
    assert set(re.findall(r"^LoadCredential=([\w.]+):/etc/juniper/\1$", text, re.M)) == wanted
    assert set(re.findall(r"^SetCredential=([\w.]+):#$", text, re.M)) == wanted


def test_the_training_unit_sees_the_gpus_and_nothing_of_a_screen() -> None:
    """The driver's door, sixteen GPUs, CUDA's memory, the parts of a shared GPU: each where it exists."""
    text = (UNITS / "juniper-cascor.service.d/50-gpu.conf").read_text()
    assert set(bound_nodes([text])) == {
        *("nvidiactl", "nvidia-uvm", "nvidia-uvm-tools", "nvidia-caps"),
        *(f"nvidia{index}" for index in range(16)),
    }
    bound = [word for line in re.findall(r"^BindPaths=(.*)$", text, re.M) for word in line.split()]
    assert all(word.startswith("-/dev/nvidia") for word in bound)


def test_what_a_gpu_needs_stands_in_one_file() -> None:
    """So that a host without one can do without it."""
    others = [path for path in UNITS.rglob("*.*") if path.is_file() and path.name != "50-gpu.conf"]
    assert [path.name for path in others if re.search(r"^\w.*(nvidia|AF_NETLINK)", path.read_text(), re.M)] == []


def test_the_training_unit_leaves_cuda_what_it_needs() -> None:
    """Sockets to the kernel, and memory that is written and then run: the compilers of numba, CuPy and the driver."""
    text = "\n".join(path.read_text() for path in files_of("juniper-cascor"))
    assert "RestrictAddressFamilies=AF_NETLINK\n" in text
    assert re.findall(r"^MemoryDenyWriteExecute=(.*)$", text, re.M)[-1] == "no"
    assert "@resources" in re.findall(r"^SystemCallFilter=([^~].*)$", text, re.M)[-1]
    assert not re.search(r"^(DeviceAllow|ProcSubset|PrivateNetwork)=", text, re.M)


def test_the_example_of_the_settings_changes_nothing() -> None:
    """Every line of it is a comment, since install copies it."""
    assert parse((ROOT / "conf/juniper.env.example").read_text()) == {}


@pytest.mark.parametrize("profile", TARGETS)
def test_each_profile_has_its_target_and_says_its_name(profile: str) -> None:
    """The units read the profile's file by the link, which says no name itself."""
    assert (UNITS / TARGETS[profile]).is_file()
    assert parse((ROOT / f"conf/{profile}.env.example").read_text())["JUNIPER_ENV"] == profile


@pytest.mark.parametrize("path", sorted(UNITS.rglob("*.*")), ids=lambda path: str(path.relative_to(UNITS)))
def test_each_unit_with_settings_reads_the_three_files_in_order(path: Path) -> None:
    """The host's, the profile's, the service's own: as the code reads them."""
    files = re.findall(r"^EnvironmentFile=(.*)$", path.read_text(), re.M) if path.is_file() else []
    folder = "-%h/.config/juniper/"
    if f"{folder}juniper.env" in files:
        assert [file.removeprefix(folder) for file in files][:2] == ["juniper.env", PROFILE_LINK]
        own = {f"{folder}%j.env", f"{folder}%i.env", *(f"{folder}{service.name}.env" for service in SERVICES)}
        assert set(files[2:]) <= own


def test_every_credential_is_explained_with_its_readers() -> None:
    """In the example of the folder."""
    text = (ROOT / "conf/credentials.example/README.md").read_text()
    told = set(re.findall(r"^\| `(\w+)` \| (\w+) \|", text, re.M))
    assert told == {(name, service.name) for service in SERVICES for name in service.credentials}


def test_every_direct_dependency_is_pinned() -> None:
    """Else an installation gets what the registry has today."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [
        *project["dependencies"],
        *(line for lines in project["optional-dependencies"].values() for line in lines),
    ]
    pinned = re.findall(r"^([a-z0-9-]+)==[0-9]\S*$", (ROOT / "constraints.txt").read_text(), re.M)
    names = {re.split(r"[\[<>=!~ ]", line)[0].lower().replace("_", "-") for line in wanted}
    assert names - {"juniper"} <= set(pinned)  # Its own extras, with those for developers
