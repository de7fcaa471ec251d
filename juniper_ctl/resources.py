"""What the services, the GPUs and the host use, once or live."""

import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from juniper_ctl.errors import Exit
from juniper_ctl.gpu_use import Gpu, Gpus, gpus
from juniper_ctl.locations import Locations
from juniper_ctl.machine import Disk, Machine, machine
from juniper_ctl.progress import print_json
from juniper_ctl.screen import opened
from juniper_ctl.service_use import Meter, ServiceUse
from juniper_ctl.services import Service
from juniper_ctl.table import size, table
from juniper_ctl.usage import SUMMED, Source, mark

_HEADER = ("SERVICE", "STATE", "MEMORY", "PEAK", "HIGH", "MAX", "SWAP", "CPU", "OF", "TASKS", "OF", "READ", "WRITTEN")


@dataclass(frozen=True, slots=True)
class Resources:
    """One measure of everything, as `--json` prints it."""

    measured_at: float
    """Unix time."""
    services: Sequence[ServiceUse]
    gpus: Gpus
    machine: Machine

    def lines(self) -> list[str]:
        """For a terminal."""
        return [
            *table(_HEADER, [_cells(one) for one in self.services], left=("SERVICE", "STATE")),
            *_notes(self.services),
            "",
            *(_gpu_line(gpu) for gpu in self.gpus.devices),
            *([f"gpu      {self.gpus.note}"] if self.gpus.note else []),
            *_machine_lines(self.machine),
        ]


def resources(services: Sequence[Service], *, interval_s: float, is_live: bool, as_json: bool) -> Exit:
    """Print one measure, after `interval_s` in which the use of the processors is measured; live: one after another.

    Raises:
        ControlError: no manager answers, or nothing is installed.
    """
    locations = Locations.of(os.environ)
    meter = Meter(services)

    def measure() -> Resources:
        return Resources(time.time(), meter.measure(), gpus(locations), machine(services, locations))

    if is_live and not as_json and sys.stdout.isatty():
        return _watch(measure, interval_s)
    meter.measure()
    while True:
        time.sleep(interval_s)
        found = measure()
        if as_json:
            print_json(asdict(found), indent=None if is_live else 2)
        else:
            print(*(_page(found) if is_live else found.lines()), sep="\n", flush=True)
        if not is_live:
            return Exit.OK


def _watch(measure: Callable[[], Resources], interval_s: float) -> Exit:
    """Until Ctrl-C, which leaves the last page on the terminal."""
    page = _page(measure())
    try:
        with opened() as screen:
            while True:
                screen.show(page, interval_s)
                page = _page(measure())
    except KeyboardInterrupt:
        print(*page, sep="\n")
        return Exit.OK


def _page(found: Resources) -> list[str]:
    return [time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(found.measured_at)), *found.lines(), ""]


def _cells(use: ServiceUse) -> tuple[str, ...]:
    return (
        use.service,
        use.state,
        _marked(use.memory_of, size(use.memory_bytes)),
        size(use.memory_peak_bytes),
        size(use.memory_high_bytes),
        size(use.memory_max_bytes),
        _marked(use.swap_of, size(use.swap_bytes)),
        _marked(use.cpu_of, _percent(use.cpu_percent)),
        _percent(use.cpu_max_percent),
        _marked(use.tasks_of, _count(use.tasks)),
        _count(use.tasks_max),
        _marked(use.io_of, size(use.read_bytes)),
        _marked(use.io_of, size(use.written_bytes)),
    )


def _marked(source: Source | None, figure: str) -> str:
    return figure if figure == "-" else mark(source) + figure


def _percent(percent: float | None) -> str:
    return "-" if percent is None else f"{percent:.0f}%"


def _count(count: int | None) -> str:
    return "-" if count is None else str(count)


def _notes(services: Sequence[ServiceUse]) -> list[str]:
    sources = {
        "memory": [use.memory_of for use in services],
        "processors": [use.cpu_of for use in services],
        "tasks": [use.tasks_of for use in services],
        "disks": [use.io_of for use in services],
    }
    summed = [name for name, of in sources.items() if "processes" in of]
    if not summed:
        return []
    return [SUMMED, f"  ({', '.join(summed)}); what it does not count it does not limit either"]


def _gpu_line(gpu: Gpu) -> str:
    figures = (
        (gpu.utilisation_percent, f"{gpu.utilisation_percent}% busy"),
        (gpu.memory_used, f"{size(gpu.memory_used)} of {size(gpu.memory_total)}"),
        (gpu.temperature_c, f"{gpu.temperature_c} °C"),
        (gpu.power_w, f"{gpu.power_w:.0f} W" if gpu.power_w is not None else ""),
    )
    return f"gpu {gpu.index:<4} {gpu.name}: " + (
        ", ".join(text for known, text in figures if known is not None) or "the driver tells no figures"
    )


def _machine_lines(host: Machine) -> list[str]:
    load = " ".join(f"{figure:.2f}" for figure in host.load)
    used = host.memory_total_bytes - host.memory_available_bytes
    swap = f"swap {size(host.swap_used_bytes)} of {size(host.swap_total_bytes)}" if host.swap_total_bytes else "no swap"
    return [
        f"load     {load} on {host.processors} processors",
        f"memory   {size(used)} of {size(host.memory_total_bytes)}, {swap}",
        *(_disk_line(disk) for disk in host.disks),
    ]


def _disk_line(disk: Disk) -> str:
    free = f"{size(disk.free_bytes)} free of {size(disk.total_bytes)}"
    return f"disk     {free} at {disk.folder} ({', '.join(disk.services)})"
