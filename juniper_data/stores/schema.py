"""The index's schema, as the steps that lead to it."""

from juniper_common.sqlite_file import Migrations

_FIRST = (
    # `datasets` holds what is searched by, `details` what is told. Times are microseconds since the epoch. A dataset's
    # names and tags are lists of numbers, each between two spaces: to look for one of them while the index is read in
    # its order takes a fraction of the time that a join or a subquery takes.
    """
    CREATE TABLE datasets (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        generator TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        expires_at INTEGER,
        n_samples INTEGER NOT NULL,
        size_bytes INTEGER NOT NULL,
        parent TEXT,
        names TEXT NOT NULL,
        version INTEGER,
        tags TEXT NOT NULL,
        location TEXT NOT NULL UNIQUE,
        checksum TEXT NOT NULL,
        access_count INTEGER NOT NULL,
        last_accessed_at INTEGER
    ) STRICT;
    -- They have all that a filter looks at, so that none needs to read the table.
    CREATE INDEX datasets_by_time ON datasets
        (created_at, id, expires_at, n_samples, generator, version, names, tags);
    CREATE INDEX datasets_by_parent ON datasets
        (parent, created_at, id, expires_at, n_samples, generator, version, names, tags) WHERE parent IS NOT NULL;
    CREATE INDEX datasets_by_expiry ON datasets (expires_at, size_bytes) WHERE expires_at IS NOT NULL;

    CREATE TABLE details (
        dataset INTEGER PRIMARY KEY REFERENCES datasets (number) ON DELETE CASCADE,
        meta TEXT NOT NULL,
        profile TEXT
    ) STRICT;

    CREATE TABLE tags (number INTEGER PRIMARY KEY, tag TEXT NOT NULL UNIQUE) STRICT;
    -- A name stays with its counter when its datasets are gone: no version comes twice.
    CREATE TABLE names (
        number INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        last_version INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE versions (
        name INTEGER NOT NULL REFERENCES names (number),
        version INTEGER NOT NULL,
        dataset INTEGER NOT NULL REFERENCES datasets (number) ON DELETE CASCADE,
        PRIMARY KEY (name, version),
        UNIQUE (dataset, name)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE keys (
        key TEXT PRIMARY KEY,
        fingerprint TEXT NOT NULL,
        expires_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX keys_by_expiry ON keys (expires_at);

    -- How much there is, so that a quota costs the same however much that is.
    CREATE TABLE totals (datasets INTEGER NOT NULL, bytes INTEGER NOT NULL) STRICT;
    INSERT INTO totals VALUES (0, 0);
    CREATE TRIGGER dataset_added AFTER INSERT ON datasets BEGIN
        UPDATE totals SET datasets = datasets + 1, bytes = bytes + new.size_bytes;
    END;
    CREATE TRIGGER dataset_removed AFTER DELETE ON datasets BEGIN
        UPDATE totals SET datasets = datasets - 1, bytes = bytes - old.size_bytes;
    END;
    """,
)

MIGRATIONS = Migrations(_FIRST)
