"""`gpus`: say what there is to train on a GPU with, and what does not fit."""

import argparse
import json
from typing import TYPE_CHECKING

from juniper_cascor.commands.errors import Exit

if TYPE_CHECKING:
    from juniper_cascor.engine.cuda.availability import Availability


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What it can be told."""
    parser.add_argument("--json", action="store_true", help="for programs: all facts, and the GPUs as they are now")


def run(options: argparse.Namespace) -> int:
    """Print it. A host without a GPU is no error."""
    # Only now: the other commands do without.
    from juniper_cascor.engine.cuda import host_facts
    from juniper_cascor.gpus import Gpus

    availability = host_facts.availability()
    if options.json:
        now = [gpu.model_dump() for gpu in Gpus()()]
        print(json.dumps({**availability.as_json(), "now": now}, indent=2))
    else:
        print("\n".join(f"{name:8}  {fact}" for name, fact in as_lines(availability)))
    return Exit.OK


def as_lines(availability: "Availability") -> list[tuple[str, str]]:
    """Names and what is so: the driver, each device, each back end."""
    from juniper_cascor.engine.cuda.availability import dotted

    facts = availability.facts
    supports = facts.cuda.supports
    cuda = f", which supports CUDA {dotted(supports)} at most" if supports else ""
    lines = [("driver", f"{facts.driver}{cuda}")] if facts.driver else []
    lines += [
        (
            f"gpu {index}",
            f"{device.name}, compute capability {dotted(device.capability)}, {device.memory_total / 2**30:.0f} GiB",
        )
        for index, device in enumerate(facts.cuda.devices)
    ]
    built = {
        "cupy": f"CuPy {facts.cupy[0].version}, compiling with NVRTC {facts.nvrtc}" if facts.cupy else "",
        "torch": f"torch {facts.torch.version}" if facts.torch else "",
    }
    return lines + [
        (name, f"usable: {built[name]}" if verdict.is_usable else f"not usable: {verdict}")
        for name, verdict in availability.backends.items()
    ]
