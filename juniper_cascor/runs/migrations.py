"""The run store's schema, as the steps that lead to it."""

from juniper_common.sqlite_file import Migrations

_FIRST = (
    """
    CREATE TABLE runs (
        id TEXT PRIMARY KEY,
        status TEXT NOT NULL,
        created_at REAL NOT NULL,
        ended_at REAL,
        seed INTEGER NOT NULL,
        params TEXT NOT NULL,
        pace REAL,
        dataset_id TEXT,
        dataset_checksum TEXT NOT NULL,
        backend TEXT NOT NULL,
        versions TEXT NOT NULL,
        epochs INTEGER NOT NULL,
        hidden_units INTEGER NOT NULL,
        outcome TEXT,
        reason TEXT
    ) STRICT;
    CREATE INDEX runs_by_time ON runs (created_at);
    """,
    # A new table of runs: what refers to a run takes a number of its own, and an implicit rowid may change.
    """
    ALTER TABLE runs RENAME TO runs_1;
    DROP INDEX runs_by_time;
    CREATE TABLE runs (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        status TEXT NOT NULL,
        created_at REAL NOT NULL,
        started_at REAL,
        ended_at REAL,
        seed INTEGER NOT NULL,
        params TEXT NOT NULL,
        pace REAL,
        dataset_id TEXT,
        dataset_checksum TEXT NOT NULL,
        backend TEXT NOT NULL,
        versions TEXT NOT NULL,
        host TEXT NOT NULL,
        epochs INTEGER NOT NULL,
        hidden_units INTEGER NOT NULL,
        outcome TEXT,
        reason TEXT,
        on_restart TEXT NOT NULL,
        origin TEXT NOT NULL,
        parent_snapshot_id TEXT,
        sweep_id TEXT,
        notes TEXT NOT NULL,
        tags TEXT NOT NULL
    ) STRICT;
    INSERT INTO runs (id, status, created_at, started_at, ended_at, seed, params, pace, dataset_id, dataset_checksum,
            backend, versions, host, epochs, hidden_units, outcome, reason, on_restart, origin, notes, tags)
        SELECT id, status, created_at, created_at, ended_at, seed, params, pace, dataset_id, dataset_checksum,
            backend, versions, '', epochs, hidden_units, outcome, reason, 'resume', 'fresh', '', '[]'
        FROM runs_1 ORDER BY rowid;
    DROP TABLE runs_1;
    CREATE INDEX runs_by_time ON runs (created_at);

    CREATE TABLE state_changes (
        number INTEGER PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES runs (number) ON DELETE CASCADE,
        time REAL NOT NULL,
        status TEXT NOT NULL,
        reason TEXT
    ) STRICT;
    CREATE INDEX state_changes_by_run ON state_changes (run);
    INSERT INTO state_changes (run, time, status) SELECT number, created_at, 'STARTED' FROM runs ORDER BY number;
    INSERT INTO state_changes (run, time, status, reason)
        SELECT number, ended_at, status, reason FROM runs WHERE ended_at IS NOT NULL ORDER BY number;

    CREATE TABLE run_changes (
        number INTEGER PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES runs (number) ON DELETE CASCADE,
        epoch INTEGER NOT NULL,
        time REAL NOT NULL,
        params TEXT NOT NULL,
        dataset_id TEXT,
        dataset_checksum TEXT
    ) STRICT;
    CREATE INDEX run_changes_by_run ON run_changes (run);

    CREATE TABLE metric_names (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
    CREATE TABLE metric_points (
        run INTEGER NOT NULL REFERENCES runs (number) ON DELETE CASCADE,
        name INTEGER NOT NULL REFERENCES metric_names (number),
        step INTEGER NOT NULL,
        value REAL NOT NULL,
        time REAL NOT NULL,
        PRIMARY KEY (run, name, step)
    ) STRICT, WITHOUT ROWID;
    """,
)

MIGRATIONS = Migrations(_FIRST)
