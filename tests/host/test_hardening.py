"""The sandbox of each unit, tried from inside: what it refuses, and that the same succeeds without it."""

import json
import re
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import pytest
from testinfra.host import Host

from tests.host import bait, training
from tests.host.booted_host import BootedHost
from tests.host.conftest import JUNIPER_CTL
from tests.host.exposure import GPU_LIMIT, LIMIT, exposure
from tests.host.probes import PROBES
from tests.host.sandbox import BARRIERS, NOT_HELD, Barrier, barriers_of, units
from tests.host.user_units import eventually

pytestmark = [pytest.mark.host, pytest.mark.timeout(900)]

HERE = Path(__file__).parent
LIBRARY = "/usr/local/lib/juniper-probes"
"""Where a sandbox lets programs be seen."""

DROP_IN = ".config/systemd/user/juniper-.service.d/90-probe.conf"
PROBED = f"""[Unit]
ConditionPathExists=
[Service]
Type=oneshot
WatchdogSec=0
Restart=no
WorkingDirectory={LIBRARY}
ExecStart=
ExecStart=/usr/bin/python3 -m tests.host.probes %s
StandardOutput=truncate:%%h/probes/%s.%%n.json
%s
"""
ALL = f"""
for variant in probes/*.conf; do
    cp $variant {DROP_IN} && systemctl --user daemon-reload
    xargs systemctl --user start --job-mode=ignore-dependencies <${{variant%.conf}}.units || echo "with $variant:"
done >probes/failed 2>&1
tail -v -n 1 probes/*.json probes/failed
"""

Refusals = Mapping[str, str | None]
"""By the probe's name, None where it succeeded."""


@pytest.fixture(scope="module")
def baited(machine: BootedHost, installed: Host) -> Iterator[Host]:
    """The host with something to reach for each probe."""
    machine.run_as_root("mkdir", "-p", f"{LIBRARY}/tests/host")
    for name in ("bait.py", "probes.py"):
        text = (HERE / name).read_text(encoding="utf-8")
        machine.run_as_root("sh", "-c", 'printf %s "$1" >"$2"', "-", text, f"{LIBRARY}/tests/host/{name}")
    machine.run_as_root("env", "-C", LIBRARY, "python3", "-m", "tests.host.bait", "prepare")
    # What the check of an instance loads.
    certificate = ".config/juniper/credentials/juniper_bait_tls_certificate"
    installed.check_output("touch %s", certificate)
    installed.check_output(
        f"systemd-run --user --unit=bait -p WorkingDirectory={LIBRARY} -p StateDirectory=juniper/bait"
        " python3 -m tests.host.bait serve"
    )
    eventually(lambda: installed.file("/usr/local/share/juniper-bait/pid").exists, "the bait is out")
    yield installed
    installed.check_output("systemctl --user stop bait.service")
    installed.check_output("rm %s", certificate)
    machine.run_as_root("rm", str(bait.SHARED_FILE))


@pytest.fixture(scope="module")
def tried(
    machine: BootedHost, baited: Host, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[tuple[str, str], Refusals]]:
    """What came of the probes, by variant of the units and by unit."""
    folder = tmp_path_factory.mktemp("probes")
    everywhere = units()
    _write_variant(folder, "whole", everywhere, tuple(PROBES), ())
    for index, barrier in enumerate(BARRIERS):
        where = [unit for unit in everywhere if barrier in barriers_of(unit)]
        if barrier.also:
            _write_variant(folder, f"alone{index}", where, barrier.probes, barrier.also)
        _write_variant(folder, f"without{index}", where, barrier.probes, (*barrier.also, barrier.lifted))
    machine.copy_folder(folder, "probes")
    try:
        said = baited.check_output(ALL)
    finally:
        baited.run(f"rm -r {DROP_IN} probes; systemctl --user daemon-reload; systemctl --user reset-failed")
    yield {
        (variant, unit): json.loads(refusals)
        for variant, unit, refusals in re.findall(r"^==> probes/(\w+)\.(\S+)\.service\.json <==\n(\{.*\})$", said, re.M)
    }
    assert said.endswith("==> probes/failed <=="), said[-3000:]


def _write_variant(folder: Path, name: str, where: list[str], probes: tuple[str, ...], lifted: tuple[str, ...]) -> None:
    (folder / f"{name}.conf").write_text(PROBED % (" ".join(probes), name, "\n".join(lifted)), encoding="ascii")
    (folder / f"{name}.units").write_text(" ".join(f"{unit}.service" for unit in where), encoding="ascii")


@pytest.mark.parametrize(
    ("unit", "barrier"),
    [
        pytest.param(unit, barrier, id=f"{unit}: {barrier.line} {barrier.probes[0]}")
        for unit in units()
        for barrier in barriers_of(unit)
    ],
)
def test_a_line_of_the_sandbox_refuses(tried: dict[tuple[str, str], Refusals], unit: str, barrier: Barrier) -> None:
    """Each probe is refused in the unit, and by this line alone where others are lifted, and succeeds without it."""
    index = BARRIERS.index(barrier)
    shut = ["whole", *([f"alone{index}"] if barrier.also else [])]
    for probe in barrier.probes:
        assert all(tried[variant, unit][probe] is not None for variant in shut), f"{probe} came through"
        assert tried[f"without{index}", unit][probe] is None, f"{probe} is refused by something else"


@pytest.mark.parametrize("unit", ["juniper-data", "juniper-cascor", "juniper-canopy"])
def test_what_is_not_held_is_so(tried: dict[tuple[str, str], Refusals], unit: str) -> None:
    """The list of what a service can still do is true: what no longer succeeds is taken off it."""
    assert {probe: tried["whole", unit][probe] for probe in NOT_HELD} == dict.fromkeys(NOT_HELD)


def test_every_probe_succeeds_outside(baited: Host) -> None:
    """In a unit without a sandbox all of it can be done: so a refusal is the sandbox's."""
    said = baited.check_output(
        f"systemd-run --user --quiet --wait --pipe -p WorkingDirectory={LIBRARY} -p StateDirectory=juniper/bait"
        " python3 -m tests.host.probes"
    )
    refusals: dict[str, str | None] = json.loads(said)
    assert refusals == dict.fromkeys(PROBES)


@pytest.mark.parametrize("unit", units())
def test_the_exposure_is_low(machine: BootedHost, juniper: Host, unit: str) -> None:
    """As systemd counts it."""
    assert exposure(machine, juniper, unit) <= (GPU_LIMIT if unit == "juniper-cascor" else LIMIT)


def test_a_training_compiles_inside_the_sandbox(running: Host) -> None:
    """The inner loops are compiled anew, run, and kept in the unit's cache folder."""
    running.check_output(f"{JUNIPER_CTL} stop cascor && rm -rf .cache/juniper/cascor/* && {JUNIPER_CTL} start cascor")
    training.start(running, pace=20)
    # One loop after the other is compiled, each within the time that a wait has, on a slow machine too.
    while not has_trained(running):
        eventually(partial(has_gone_on, running, compiled(running)), "it compiles, and trains")
    training.stop(running)
    assert compiled(running) > 0


def compiled(host: Host) -> int:
    """How many loops the cache folder keeps."""
    return len(host.check_output("find .cache/juniper/cascor -name '*.nbi'").split())


def has_gone_on(host: Host, before: int) -> bool:
    """Another loop is compiled, or all are."""
    return compiled(host) > before or has_trained(host)


def has_trained(host: Host) -> bool:
    """An epoch of the run has passed."""
    return training.status(host).monitor.current_epoch > 0
