"""`python -m tests.unit.juniper_cascor.runs.killed_writer FILE LIFE` writes to a run store until it is killed.

Each round it posts ten runs of one sweep, appends fifty points to the first of them and ends it, then prints a line.
"""

import itertools
import sys
from pathlib import Path

from juniper_cascor.runs.store import RunStore

from .records import record

RUNS_A_ROUND = 10
POINTS_A_ROUND = 50


def main() -> None:
    """Write until killed."""
    store = RunStore(Path(sys.argv[1]))
    for number in itertools.count():
        sweep = f"{sys.argv[2]}.{number}"
        runs = [record(0, id=f"{sweep}.{place}", sweep_id=sweep) for place in range(RUNS_A_ROUND)]
        store.add(runs)
        store.add_metrics(runs[0].id, (("score", step, 1.0, 1.0) for step in range(POINTS_A_ROUND)))
        store.update(runs[0].model_copy(update={"status": "COMPLETED"}))
        print(sweep, flush=True)  # noqa: T201 - to the test that will kill this process


if __name__ == "__main__":
    main()
