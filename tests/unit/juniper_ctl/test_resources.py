import json
import signal
import subprocess
import sys

import pytest

from juniper_ctl.errors import Exit
from juniper_ctl.gpu_use import Gpu, Gpus
from juniper_ctl.machine import Disk, Machine
from juniper_ctl.resources import Resources, resources
from juniper_ctl.service_use import ServiceUse
from juniper_ctl.services import DATA
from tests.unit.juniper_ctl.fake_systemd import STOPPED, FakeSystemd

MIB = 2**20
MACHINE = Machine(8, (1.0, 0.5, 0.25), 1000 * MIB, 400 * MIB, 0, 0, (Disk(("data",), "/d", 100 * MIB, 50 * MIB),))
NO_GPU = Gpus((), "cascor", "none that cascor sees")
COUNTED = ServiceUse(
    "data",
    "active",
    memory_bytes=100 * MIB,
    memory_of="cgroup",
    memory_max_bytes=2048 * MIB,
    cpu_percent=12.4,
    cpu_of="cgroup",
    cpu_max_percent=200,
    tasks=5,
    tasks_of="cgroup",
    tasks_max=512,
    read_bytes=0,
    written_bytes=1024,
    io_of="cgroup",
)


def lines(*, use: ServiceUse = COUNTED, gpus: Gpus = NO_GPU) -> list[str]:
    """What a person reads of one measure."""
    return Resources(0, [use], gpus, MACHINE).lines()


def test_limits_stand_beside_the_use() -> None:
    """A dash is a limit or a figure that there is not."""
    _, row, *rest = lines()
    assert " ".join(row.split()) == "data active 100 MiB - - 2.0 GiB - 12% 200% 5 512 0 B 1.0 KiB"
    assert rest == [
        "",
        "gpu      none that cascor sees",
        "load     1.00 0.50 0.25 on 8 processors",
        "memory   600 MiB of 1000 MiB, no swap",
        "disk     50 MiB free of 100 MiB at /d (data)",
    ]


def test_what_the_kernel_does_not_count_is_marked_and_named() -> None:
    """And that no limit on it is in force."""
    use = ServiceUse("data", "active", memory_bytes=MIB, memory_of="processes", cpu_percent=1.0, cpu_of="cgroup")
    _, row, mark, note, *_ = lines(use=use)
    assert "~1.0 MiB" in row
    assert mark.startswith("~ summed over the processes")
    assert note == "  (memory); what it does not count it does not limit either"


def test_a_gpu_tells_what_the_driver_tells() -> None:
    """A line for each."""
    busy = Gpu(0, "NVIDIA H100", 2 * 2**30, 80 * 2**30, 45, 54, 210.4)
    silent = Gpu(1, "GRID", None, None, None, None, None)
    told = [line for line in lines(gpus=Gpus((busy, silent), "cascor", "")) if line.startswith("gpu")]
    assert told == [
        "gpu 0    NVIDIA H100: 45% busy, 2.0 GiB of 80 GiB, 54 °C, 210 W",
        "gpu 1    GRID: the driver tells no figures",
    ]


def test_programs_get_one_document(systemd: FakeSystemd, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 0, whatever the state of the services."""
    systemd.set(DATA.unit, STOPPED)
    assert resources([DATA], interval_s=0.01, is_live=False, as_json=True) is Exit.OK
    told = json.loads(capsys.readouterr().out)
    assert (told["services"][0]["state"], told["gpus"]["devices"]) == ("inactive", [])
    assert told["machine"]["memory_total_bytes"] > 0


@pytest.mark.parametrize("as_json", [True, False])
def test_in_a_pipe_one_measure_follows_another(systemd: FakeSystemd, as_json: bool) -> None:
    """A line of JSON each, or a block that begins with the time."""
    systemd.set(DATA.unit, STOPPED)
    command = [sys.executable, "-m", "juniper_ctl", "resources", "data", "--watch", "--interval", "0.01"]
    with subprocess.Popen([*command, *(["--json"] if as_json else [])], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        if as_json:
            first, second = (json.loads(process.stdout.readline()) for _ in range(2))
            assert second["measured_at"] > first["measured_at"]
        else:
            blocks = [list(iter(process.stdout.readline, "\n")) for _ in range(4)]
            assert blocks[0][1].startswith("SERVICE")
            assert blocks[2][1].startswith("SERVICE")
        process.send_signal(signal.SIGINT)
        process.stdout.read()
    assert process.returncode == Exit.INTERRUPTED
