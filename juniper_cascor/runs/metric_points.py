"""The metric points of runs in the run store: appended, never changed, read as columns."""

import math
import sqlite3
from collections.abc import Iterable, Sequence

from juniper_common.wire.runs import Series

MetricPoint = tuple[str, int, float, float]
"""Name, step, value, time."""

_OF_ONE_METRIC = """
    FROM metric_points
    WHERE run = (SELECT number FROM runs WHERE id = :run_id)
        AND name = (SELECT number FROM metric_names WHERE name = :name)
"""


def append(connection: sqlite3.Connection, run_id: str, points: Iterable[MetricPoint]) -> None:
    """Write points; those that are there already stay as they are, and a value that is not finite is left out."""
    run = connection.execute("SELECT number FROM runs WHERE id = ?", (run_id,)).fetchone()
    if run is None:
        return
    finite = [point for point in points if math.isfinite(point[2])]
    names = sorted({name for name, *_ in finite})
    connection.executemany(
        "INSERT INTO metric_names (name) VALUES (?) ON CONFLICT DO NOTHING", [(name,) for name in names]
    )
    numbers = {name: number for number, name in connection.execute("SELECT number, name FROM metric_names")}
    connection.executemany(
        "INSERT INTO metric_points (run, name, step, value, time) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        [(run["number"], numbers[name], step, value, time) for name, step, value, time in finite],
    )


def last_values(connection: sqlite3.Connection, run_id: str) -> dict[str, float]:
    """Each metric's value at its last step."""
    rows = connection.execute(
        """
        SELECT name, (
            SELECT value FROM metric_points
            WHERE run = (SELECT number FROM runs WHERE id = ?) AND name = metric_names.number
            ORDER BY step DESC LIMIT 1
        ) AS value FROM metric_names ORDER BY name
        """,
        (run_id,),
    )
    return {row["name"]: row["value"] for row in rows if row["value"] is not None}


def last_step(connection: sqlite3.Connection, run_id: str) -> int:
    """A run's last step of any metric; 0 where it has none."""
    row = connection.execute(
        """
        SELECT max((
            SELECT max(step) FROM metric_points
            WHERE run = (SELECT number FROM runs WHERE id = ?) AND name = metric_names.number
        )) FROM metric_names
        """,
        (run_id,),
    ).fetchone()
    return row[0] or 0


def first_after(
    connection: sqlite3.Connection, run_id: str, names: Sequence[str] | None, after: int, limit: int
) -> dict[str, Series]:
    """Of each metric the first `limit` points of later steps; those named, or else all that have any."""
    chosen = _all_names(connection) if names is None else names
    found = {name: _first_after(connection, run_id, name, after, limit) for name in chosen}
    return {name: series for name, series in found.items() if series.step or names is not None}


def overviews(
    connection: sqlite3.Connection, run_ids: Sequence[str], names: Sequence[str] | None, limit: int
) -> dict[str, dict[str, Series]]:
    """By metric and run the whole curve, as at most `limit` points evenly chosen, its first and last among them."""
    chosen = _all_names(connection) if names is None else names
    found = {name: {run_id: _overview(connection, run_id, name, limit) for run_id in run_ids} for name in chosen}
    return {
        name: by_run
        for name, by_run in found.items()
        if names is not None or any(series.step for series in by_run.values())
    }


def _all_names(connection: sqlite3.Connection) -> list[str]:
    return [row["name"] for row in connection.execute("SELECT name FROM metric_names ORDER BY name")]


def _first_after(connection: sqlite3.Connection, run_id: str, name: str, after: int, limit: int) -> Series:
    return _series(
        connection,
        f"SELECT step, value, time {_OF_ONE_METRIC} AND step > :after ORDER BY step LIMIT :limit",
        {"run_id": run_id, "name": name, "after": after, "limit": limit},
    )


def _overview(connection: sqlite3.Connection, run_id: str, name: str, limit: int) -> Series:
    """Point i of n is taken where i * (limit - 1) / (n - 1), rounded down, is more than that of the one before it."""
    return _series(
        connection,
        f"""
        SELECT step, value, time FROM (
            SELECT step, value, time, row_number() OVER (ORDER BY step) - 1 AS i, count(*) OVER () AS n {_OF_ONE_METRIC}
        ) WHERE n <= :limit OR i = 0 OR i * (:limit - 1) / (n - 1) > (i - 1) * (:limit - 1) / (n - 1)
        ORDER BY step
        """,  # noqa: S608 - ours
        {"run_id": run_id, "name": name, "limit": limit},
    )


def _series(connection: sqlite3.Connection, sql: str, parameters: dict[str, object]) -> Series:
    cursor = connection.cursor()
    cursor.row_factory = None  # plain tuples: there may be a million
    rows = cursor.execute(sql, parameters).fetchall()
    return Series.model_construct(
        step=[step for step, _, _ in rows], value=[value for _, value, _ in rows], time=[time for _, _, time in rows]
    )
