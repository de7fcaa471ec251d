"""What doctor finds of GPUs: from what the training service's program tells, and from what its unit hides."""

import json
from pathlib import Path
from typing import Any

import pytest

from juniper_ctl.doctor.findings import Finding
from juniper_ctl.doctor.gpu_section import Inside, bound_nodes, findings_of, look, sandbox_findings
from juniper_ctl.locations import Locations
from juniper_ctl.services import CASCOR
from tests.unit.juniper_ctl.fake_systemd import READY, STOPPED, FakeSystemd

USABLE = {"is_usable": True, "reason": "", "next_step": ""}
FACTS: dict[str, Any] = {
    "driver": "580.65.06",
    "cuda": {
        "supports": [13, 0],
        "devices": [{"name": "NVIDIA H100", "capability": [9, 0], "memory_total": 80 << 30}],
    },
    "cupy": [{"name": "cupy-cuda13x", "version": "14.2.0", "cuda": [13]}],
    "torch": {"name": "torch", "version": "2.13.0", "cuda": [13, 0]},
    "nvrtc": "13.0.88",
}
WHOLE: dict[str, Any] = {
    "is_expected": True,
    "device": USABLE,
    "backends": {"cupy": USABLE, "torch": USABLE},
    "facts": FACTS,
}


def unusable(reason: str, next_step: str = "") -> dict[str, Any]:
    """A verdict against it."""
    return {"is_usable": False, "reason": reason, "next_step": next_step}


NONE = WHOLE | {
    "is_expected": False,
    "device": unusable("there is no NVIDIA GPU"),
    "facts": FACTS | {"driver": None, "cuda": {"supports": None, "devices": []}},
}


def test_a_whole_host() -> None:
    """Driver, CUDA, devices, CuPy, torch: a line each."""
    assert findings_of(WHOLE) == [
        Finding("ok", "driver 580.65.06, which supports CUDA 13.0 at most"),
        Finding("ok", "GPU 0: NVIDIA H100, compute capability 9.0, 80 GiB"),
        Finding("ok", "cupy: CuPy 14.2.0 for CUDA 13, compiling with NVRTC 13.0.88"),
        Finding("ok", "torch: torch 2.13.0 for CUDA 13.0"),
    ]


def test_a_host_without_a_gpu() -> None:
    """Nothing is wrong with it."""
    assert findings_of(NONE) == [Finding("absent", "there is no NVIDIA GPU")]


def test_a_device_that_does_not_work_is_told_once() -> None:
    """Not for each back end again."""
    report = WHOLE | {"device": unusable("/dev/nvidia-uvm is missing", "sudo nvidia-modprobe -u -c=0")}
    assert findings_of(report)[-1] == Finding("wrong", "/dev/nvidia-uvm is missing", "sudo nvidia-modprobe -u -c=0")
    assert len(findings_of(report)) == 3


@pytest.mark.parametrize(
    ("is_expected", "next_step", "level"),
    [
        (True, "juniper-ctl install --gpu", "wrong"),
        (False, "juniper-ctl install --gpu", "absent"),
        (True, "", "absent"),
    ],
)
def test_wrong_is_what_was_set_up_and_can_be_mended(is_expected: bool, next_step: str, level: str) -> None:
    """An old card, or one that drives a screen alone, is no failure of the host."""
    verdicts = {"cupy": unusable("CuPy is not installed", next_step), "torch": USABLE}
    found = findings_of(WHOLE | {"is_expected": is_expected, "backends": verdicts})
    assert found[2:3] == [Finding(level, "cupy: CuPy is not installed", next_step)]  # type: ignore[arg-type]


def test_what_unit_files_bind() -> None:
    """Several lines add up, options do not count, an empty line takes back."""
    unit = "[Service]\nBindPaths=-/dev/nvidiactl -/dev/nvidia0:/dev/nvidia0:norbind\n#BindPaths=/dev/no\n"
    assert bound_nodes([unit, "BindPaths=/dev/nvidia1\n"]) == ["nvidiactl", "nvidia0", "nvidia1"]
    assert bound_nodes([unit, "BindPaths=\nBindPaths=/dev/nvidia1\n"]) == ["nvidia1"]


def test_a_node_that_the_unit_hides() -> None:
    """A seventeenth GPU, say: it is bound by a drop-in."""
    (found,) = sandbox_findings(["nvidia0", "nvidia16"], ["nvidia0"], None)
    assert (found.level, found.text) == ("wrong", "/dev/nvidia16 is hidden from juniper-cascor.service")
    assert "BindPaths=-/dev/nvidia16" in found.next_command


@pytest.mark.parametrize(
    ("inside", "finding"),
    [
        (None, Finding("ok", "juniper-cascor.service will see 2 of 2 device nodes")),
        (
            Inside(frozenset({"nvidia0", "nvidia-uvm"})),
            Finding("ok", "the running juniper-cascor.service sees all 2 device nodes"),
        ),
        (
            Inside(frozenset({"nvidia0"})),
            Finding(
                "wrong",
                "juniper-cascor.service was started before there was /dev/nvidia-uvm",
                "juniper-ctl restart cascor",
            ),
        ),
        (
            Inside(None),
            Finding("unknown", "what the running juniper-cascor.service sees may not be looked at"),
        ),
    ],
)
def test_what_the_service_sees(inside: Inside | None, finding: Finding) -> None:
    """What its unit binds is looked for once, when it starts."""
    nodes = ["nvidia0", "nvidia-uvm"]
    assert sandbox_findings(nodes, nodes, inside) == [finding]


@pytest.fixture
def program(home: Locations) -> Path:
    """A release whose training service tells of a whole host."""
    path = home.current / "bin" / CASCOR.command
    path.parent.mkdir(parents=True)
    path.write_text(f"#!/bin/sh\ncat <<'END'\n{json.dumps(WHOLE)}\nEND\n")
    path.chmod(0o755)
    return path


def host(tmp_path: Path, *nodes: str) -> Path:
    """A folder with these device nodes."""
    for node in nodes:
        (tmp_path / "dev").mkdir(exist_ok=True)
        (tmp_path / "dev" / node).touch()
    return tmp_path / "dev"


@pytest.mark.usefixtures("program")
def test_the_running_service_is_looked_into(tmp_path: Path, home: Locations, systemd: FakeSystemd) -> None:
    """Through its root folder in /proc. What is for screens is not missed."""
    home.units.mkdir(parents=True)
    (home.units / CASCOR.unit).write_text("BindPaths=-/dev/nvidiactl -/dev/nvidia0 -/dev/nvidia-uvm\n")
    dev = host(tmp_path, "nvidiactl", "nvidia0", "nvidia-uvm", "nvidia-modeset")
    (tmp_path / "proc/7/root/dev").mkdir(parents=True)
    (tmp_path / "proc/7/root/dev/nvidiactl").touch()
    systemd.set(CASCOR.unit, READY | {"MainPID": "7"})
    last = look(home, dev, tmp_path / "proc")[-1]
    assert last.text == "juniper-cascor.service was started before there was /dev/nvidia-uvm, /dev/nvidia0"
    systemd.set(CASCOR.unit, STOPPED | {"MainPID": "0"})
    last = look(home, dev, tmp_path / "proc")[-1]
    assert last.text == "juniper-cascor.service will see 3 of 3 device nodes"


@pytest.mark.usefixtures("program", "systemd")
def test_a_drop_in_of_the_persons_own_counts(tmp_path: Path, home: Locations) -> None:
    """What it binds is not hidden."""
    folder = home.units / f"{CASCOR.unit}.d"
    folder.mkdir(parents=True)
    (home.units / CASCOR.unit).write_text("BindPaths=-/dev/nvidiactl\n")
    dev = host(tmp_path, "nvidiactl", "nvidia16")
    assert "/dev/nvidia16 is hidden" in look(home, dev)[-1].text
    (folder / "override.conf").write_text("[Service]\nBindPaths=-/dev/nvidia16\n")
    assert look(home, dev)[-1].level == "ok"


@pytest.mark.usefixtures("program", "no_systemd")
def test_without_units_nothing_is_said_of_them(tmp_path: Path, home: Locations) -> None:
    """Services in the foreground have no sandbox."""
    assert look(home, host(tmp_path, "nvidiactl")) == findings_of(WHOLE)


def test_a_program_that_does_not_answer_is_wrong(tmp_path: Path, home: Locations, program: Path) -> None:
    """An older release has no such command; a broken one has no interpreter."""
    program.write_text("#!/bin/sh\necho 'juniper-cascor: what is gpus?' >&2\nexit 64\n")
    (found,) = look(home, tmp_path)
    assert (found.level, found.next_command) == ("wrong", "juniper-ctl install")
    assert found.text.endswith("does not say what GPUs there are: juniper-cascor: what is gpus?")
    program.write_text("#!/no/such/interpreter\n")
    assert look(home, tmp_path)[0].level == "wrong"
