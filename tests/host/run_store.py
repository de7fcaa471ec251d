"""The run store on a host's disk, as it is read without the service."""

from testinfra.host import Host

_NEWEST_METRIC = """
import sqlite3, sys
runs = sqlite3.connect(f"file:{sys.argv[1]}", uri=True)
print(runs.execute("SELECT max(time) FROM metric_points").fetchone()[0])
"""


def run_store(host: Host) -> str:
    """Where systemd has it."""
    return str(host.check_output("find /home/juniper -path '*/juniper/cascor/runs.sqlite3'")).strip()


def newest_metric(host: Host, store: str) -> float:
    """When the newest metric point in a run store was made, in Unix time.

    Args:
        host: which has the store.
        store: its path with SQLite's options, as in `runs.sqlite3?mode=ro`.
    """
    return float(host.check_output("python3 -c %s %s", _NEWEST_METRIC, store))
