"""How far one training raises this process's memory: ``python -m benchmarks.engine.memory PATTERNS INPUTS POOL``.

A process of its own, since memory that an earlier training has given back would hide what the next one takes.
"""

from __future__ import annotations

import json
import sys
import tracemalloc
from pathlib import Path

from juniper_cascor.engine.backend import CPU_BACKENDS
from juniper_cascor.engine.patterns import PADDING

from .growing import grow
from .work import Work


def main(n_patterns: int, n_inputs: int, pool: int) -> None:
    """Print a `Memory` of fresh_process as JSON."""
    small = Work(2000, 64, pool, n_epochs=2)
    for backend in CPU_BACKENDS:  # loads compiled code, and the buffers of BLAS
        grow(*small.arrays(), small.parameters(), backend=backend)

    work = Work(n_patterns, n_inputs, pool, n_epochs=3)
    x, y = work.arrays()
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak starts again from here: man 5 proc
    before = _status_bytes("VmRSS")
    grown = grow(x, y, work.parameters())
    growth = _status_bytes("VmHWM") - before
    n_rows = 1 + n_inputs + grown.training.parameters.max_hidden_units
    answer = {
        "n_patterns": n_patterns,
        "n_inputs": n_inputs,
        "pool": pool,
        "backend": grown.training.backend,
        "growth_bytes": growth,
        "features_bytes": 4 * n_rows * (-(-n_patterns // PADDING) * PADDING),
        "pool_bytes": 4 * 4 * pool * (1 + n_inputs),
        "held": _held(work),
    }
    sys.stdout.write(json.dumps(answer))


def _held(work: Work) -> list[tuple[str, int]]:
    """Train once more, and see what is held then: where it was made, and its bytes, of the three largest."""
    tracemalloc.start(2)  # the line that made an array, and who called it: the oldest comes first
    x, y = work.arrays()
    grown = grow(x, y, work.parameters())
    statistics = tracemalloc.take_snapshot().statistics("traceback")
    tracemalloc.stop()
    del grown  # not before the snapshot
    found = ((Path(one.traceback[0].filename).name, one.traceback[0].lineno, one.size) for one in statistics)
    return [(f"{name}:{line}", size) for name, line, size in found if name not in ("work.py", "memory.py")][:3]


def _status_bytes(name: str) -> int:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{name}:"):
            return 1024 * int(line.split()[1])
    raise KeyError(name)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
