"""A run store whose process is killed."""

import sqlite3
import subprocess
import sys
from pathlib import Path

from juniper_cascor.runs.store import RunStore
from juniper_common.wire.run_queries import RunQuery

from .killed_writer import POINTS_A_ROUND, RUNS_A_ROUND

ROOT = Path(__file__).parents[4]
LIVES = 3
ROUNDS = 5


def _write_and_die(path: Path, life: str) -> list[str]:
    """The rounds that a process said it had written before it was killed, somewhere in the next."""
    command = [sys.executable, "-m", "tests.unit.juniper_cascor.runs.killed_writer", str(path), life]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(ROUNDS)]
        process.kill()
        said += process.stdout.readlines()
    return [line.strip() for line in said]


def test_what_was_written_outlives_a_kill(tmp_path: Path) -> None:
    """All that the process was told to be written is there, nothing is there by half, and the next one opens it."""
    path = tmp_path / "runs.sqlite3"
    written = [sweep for life in range(LIVES) for sweep in _write_and_die(path, str(life))]
    store = RunStore(path)
    for sweep in written:
        assert store.page(RunQuery(sweep_id=sweep)).total == RUNS_A_ROUND
        detail = store.detail(f"{sweep}.0")
        assert detail is not None
        assert [change.status for change in detail.state_changes] == ["STARTED", "COMPLETED"]
        assert len(store.metrics(detail.id, ["score"], after=-1, limit=999).series["score"].step) == POINTS_A_ROUND
    assert store.page(RunQuery()).total % RUNS_A_ROUND == 0
    store.close()
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.close()
