"""What the first training in a process costs: imports, a CUDA context, kernels that are compiled or loaded."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from juniper_cascor.engine.parameters import Parameters

from .sets import cmu_spirals
from .sides import Side, attempt
from .trainings import grow_on

_ROOT = Path(__file__).resolve().parents[2]
_CACHES = ("NUMBA_CACHE_DIR", "CUPY_CACHE_DIR", "CUDA_CACHE_PATH")
_TRAIN = """
import json, sys, time
began = time.perf_counter()
from benchmarks.gpu.first_trainings import train_twice
print(json.dumps(train_twice(sys.argv[1], began)))
"""

Run = Callable[[Side, Mapping[str, str]], dict[str, float]]


@dataclass(frozen=True, slots=True)
class First:
    """Seconds of a fresh process that trains on the CMU spirals, with the defaults."""

    side: Side
    is_cached: bool  # whether a process before it has left its compiled code
    process_s: float | None = None  # a process from start to end: interpreter, imports, two trainings
    first_s: float | None = None  # from the first import to the first network
    again_s: float | None = None  # the same training once more
    note: str = ""  # why it was not measured


def train_twice(side: Side, began: float) -> dict[str, float]:
    """Train in this process, whose imports began then by `time.perf_counter`."""
    patterns, parameters = cmu_spirals(0), Parameters()
    ends = [began]
    for _ in range(2):
        grow_on(patterns, parameters, side, seed=0)
        ends.append(time.perf_counter())
    return {"first_s": ends[1] - began, "again_s": ends[2] - ends[1]}


def in_a_process(side: Side, environment: Mapping[str, str]) -> dict[str, float]:
    """The fields of a `First`.

    Raises:
        RuntimeError: the process failed; with the last of what it wrote.
    """
    began = time.perf_counter()
    command = [sys.executable, "-c", _TRAIN, side]
    ended = subprocess.run(
        command, cwd=_ROOT, env=os.environ | environment, capture_output=True, text=True, check=False, timeout=120
    )
    if ended.returncode:
        raise RuntimeError(ended.stderr.strip().rpartition("\n")[2])
    return {"process_s": time.perf_counter() - began, **json.loads(ended.stdout)}


def measure_firsts(sides: Sequence[Side], run: Run = in_a_process) -> Iterator[First]:
    """Each side without and with compiled code, which stands in a folder of its own."""
    for side in sides:
        with tempfile.TemporaryDirectory() as folder:
            environment = {name: str(Path(folder, name)) for name in _CACHES}
            for is_cached in (False, True):
                found, note = attempt(run, side, environment)
                yield First(side, is_cached, **found or {}, note=note)
