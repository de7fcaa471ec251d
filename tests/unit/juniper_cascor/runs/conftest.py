"""A run store of its own for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from juniper_cascor.runs.store import RunStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunStore]:
    """An empty store, at whose clock it is always the 1000th second."""
    opened = RunStore(tmp_path / "runs.sqlite3", clock=lambda: 1_000.0)
    yield opened
    opened.close()
