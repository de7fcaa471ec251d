"""What a trainer process is given to live in."""

from pathlib import Path

import pytest

from juniper_cascor.runs import trainer_process


def test_all_that_is_compiled_goes_below_the_cache_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Numba's code, CuPy's kernels and the driver's: the home, where they go else, is hidden from the service."""
    for name in trainer_process.CACHES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CUPY_CACHE_DIR", "/elsewhere")
    given = trainer_process.environment(Path("/cache"))
    assert given["NUMBA_CACHE_DIR"] == "/cache/numba"
    assert given["CUDA_CACHE_PATH"] == "/cache/cuda"
    assert given["CUPY_CACHE_DIR"] == "/elsewhere"  # what a person set stays
