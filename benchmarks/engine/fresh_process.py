"""What the first training in a process costs: imports, loading or making compiled code, memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .sets import cmu_spirals

_ROOT = Path(__file__).resolve().parents[2]

_IMPORT = """
import json, sys, time
began = time.perf_counter()
import juniper_cascor.engine.training
import_s = time.perf_counter() - began
print(json.dumps({"import_s": import_s, "loaded": sorted({"torch", "cupy", "numba"} & sys.modules.keys())}))
"""

# Everything to the network's end; what is logged goes to stderr.
_TRAIN = """
import json, logging, sys, time
began = time.perf_counter()
import numpy as np
from juniper_cascor.engine.parameters import Parameters
from juniper_cascor.engine.training import Training
logging.basicConfig(level=logging.INFO, format="%(message)s")
with np.load(sys.argv[1]) as arrays:
    training = Training.start(arrays["x"], arrays["y"], Parameters(), seed=0)
while training.finished is None:
    training.advance()
print(json.dumps({"train_s": time.perf_counter() - began, "outcome": training.finished}))
"""


@dataclass(frozen=True, slots=True)
class Startup:
    """Wall seconds in fresh processes, medians over some of them but for the cold cache."""

    import_s: float
    loaded: tuple[str, ...]  # of torch, cupy and numba, by the import of the engine
    process_s: float  # a whole process that trains once, compiled code cached: interpreter, imports, training
    train_s: float  # of it, from the first import to the network's end
    cold_s: float  # the whole process without cached code
    warm_log: tuple[str, ...]  # lines
    cold_log: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Memory:
    """How far a training raises its process's resident memory, beyond the inputs that the caller has."""

    n_patterns: int
    n_inputs: int
    pool: int
    backend: str
    growth_bytes: int
    features_bytes: int  # F, with a row for each hidden unit that there may be
    pool_bytes: int  # 4 × pool × features, of float32
    held: tuple[tuple[str, int], ...]  # at the training's end: file:line that made arrays, and their bytes

    @property
    def ratio(self) -> float:
        """Over what is promised."""
        return self.growth_bytes / (self.features_bytes + self.pool_bytes)


def measure_startup(quick: bool) -> Startup:
    """Start processes; the CMU spirals are what they train on."""
    repeats = 1 if quick else 5
    patterns = cmu_spirals(0).train
    with tempfile.TemporaryDirectory() as folder:
        arrays = Path(folder, "spirals.npz")
        np.savez(arrays, x=patterns.x, y=patterns.targets(2))
        train = ["-c", _TRAIN, str(arrays)]
        imports = [_run(["-c", _IMPORT])[0] for _ in range(repeats)]
        _run(train)  # fills the cache, if nobody has yet
        warm = [_run(train) for _ in range(repeats)]
        _, cold_log, cold_s = _run(train, NUMBA_CACHE_DIR=str(Path(folder, "numba")))
    return Startup(
        import_s=float(np.median([found["import_s"] for found in imports])),
        loaded=tuple(imports[0]["loaded"]),
        process_s=float(np.median([seconds for _, _, seconds in warm])),
        train_s=float(np.median([found["train_s"] for found, _, _ in warm])),
        cold_s=cold_s,
        warm_log=warm[0][1],
        cold_log=cold_log,
    )


def measure_memory(quick: bool) -> list[Memory]:
    """One process each: a small pool, a large one; and the size of MNIST."""
    sizes = [(10_000, 64, 128)]
    if not quick:
        sizes += [(10_000, 64, 8), (60_000, 784, 128), (60_000, 784, 8)]
    found = [_run(["-m", "benchmarks.engine.memory", *map(str, size)])[0] for size in sizes]
    return [Memory(**values | {"held": tuple(map(tuple, values["held"]))}) for values in found]


def _run(arguments: list[str], **environment: str) -> tuple[dict[str, Any], tuple[str, ...], float]:
    """What a Python process answers, what it logs, and how long it takes.

    Raises:
        RuntimeError: it failed; with what it wrote.
    """
    began = time.perf_counter()
    ended = subprocess.run(
        [sys.executable, *arguments],
        cwd=_ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - began
    if ended.returncode:
        raise RuntimeError(f"python {' '.join(arguments)[:200]}\n{ended.stderr}")
    return json.loads(ended.stdout), tuple(ended.stderr.splitlines()), seconds
