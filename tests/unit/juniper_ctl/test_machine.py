from pathlib import Path

from juniper_ctl.locations import Locations
from juniper_ctl.machine import machine
from juniper_ctl.services import CASCOR, DATA, SERVICES

MEMINFO = """MemTotal:        1000 kB
MemAvailable:     600 kB
SwapTotal:        100 kB
SwapFree:          90 kB
HugePages_Total:    0
"""


def test_memory_is_in_bytes_and_disks_are_named_once(home: Locations, tmp_path: Path) -> None:
    """A service that was never started has no folder."""
    (tmp_path / "meminfo").write_text(MEMINFO)
    for service in (DATA, CASCOR):
        home.state_of(service.name).mkdir(parents=True)
    host = machine(SERVICES, home, tmp_path)
    assert (host.memory_total_bytes, host.memory_available_bytes) == (1_024_000, 614_400)
    assert (host.swap_total_bytes, host.swap_used_bytes) == (102_400, 10_240)
    (disk,) = host.disks
    assert (disk.services, disk.folder) == (("data", "cascor"), str(home.state_of("data")))
    assert 0 < disk.free_bytes <= disk.total_bytes
