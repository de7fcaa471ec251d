"""What is loaded when: a process that only asks a network never loads the compiler."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]

SERVICE = """
import sys
import juniper_cascor.engine.network, juniper_cascor.engine.parameters, juniper_cascor.engine.events
import juniper_cascor.engine.training
print(sorted({"numba", "torch", "cupy"} & set(sys.modules)))
"""

TRAINER = """
from juniper_cascor.engine.training import warm_up
warm_up()
from juniper_cascor.engine import batched_kernels, candidate_kernels, output_kernels
kernels = batched_kernels.KERNELS + candidate_kernels.KERNELS + output_kernels.KERNELS
print(sum(sum(kernel.stats.cache_misses.values()) for kernel, *_ in kernels))
"""


def run(code: str, cache: Path) -> str:
    """The output of a fresh process."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(cache), "PYTHONPATH": str(ROOT)}
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    return result.stdout.strip()


def test_compiler_is_loaded_by_training_alone(tmp_path: Path) -> None:
    """Importing the engine, its grow loop too, loads neither numba nor torch nor cupy."""
    assert run(SERVICE, tmp_path) == "[]"


def test_compiled_once_for_all_processes(tmp_path: Path) -> None:
    """The first process fills NUMBA_CACHE_DIR, the next one compiles nothing."""
    assert int(run(TRAINER, tmp_path)) > 0
    assert list(tmp_path.rglob("*.nbc"))
    assert run(TRAINER, tmp_path) == "0"
