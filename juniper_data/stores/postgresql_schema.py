"""The schema in PostgreSQL: the steps that lead to it, and the way back of each, which the database itself keeps."""

from typing import Any, NamedTuple

from psycopg import Connection

from juniper_data.errors import StoreError
from juniper_data.stores.postgresql_rows import Row


class Step(NamedTuple):
    """SQL that leads from one version of the schema to the next, and SQL that leads back."""

    forth: str
    back: str


STEPS = (
    # `datasets` holds what is searched by, `details` what is told: narrow rows are soon looked through, the sooner
    # the fewer columns of no fixed width, or with NULLs, stand before those that are looked at. Times are microseconds
    # since the epoch, NEVER the last one. The collation is that of bytes, so that ids come in their usual order.
    Step(
        """
        CREATE TABLE datasets (
            number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            created_at bigint NOT NULL,
            expires_at bigint NOT NULL,
            n_samples bigint NOT NULL,
            size_bytes bigint NOT NULL,
            access_count bigint NOT NULL,
            id text COLLATE "C" NOT NULL UNIQUE,
            generator text COLLATE "C" NOT NULL,
            location text COLLATE "C" NOT NULL UNIQUE,
            checksum text NOT NULL,
            parent text COLLATE "C",
            version bigint,
            last_accessed_at bigint,
            tags text[] COLLATE "C" NOT NULL
        );
        -- They have what a page and its total need, so that these seldom read the table.
        CREATE INDEX datasets_by_time ON datasets (created_at, id) INCLUDE (expires_at, number, n_samples);
        CREATE INDEX datasets_by_generator ON datasets (generator, created_at, id)
            INCLUDE (expires_at, number, n_samples);
        CREATE INDEX datasets_by_parent ON datasets (parent, created_at, id) INCLUDE (expires_at, number)
            WHERE parent IS NOT NULL;
        CREATE INDEX datasets_by_samples ON datasets (n_samples) INCLUDE (expires_at, number);
        CREATE INDEX datasets_by_version ON datasets (version) INCLUDE (expires_at, number) WHERE version IS NOT NULL;
        CREATE INDEX datasets_by_expiry ON datasets (expires_at) INCLUDE (size_bytes, number);

        CREATE TABLE details (
            dataset bigint PRIMARY KEY REFERENCES datasets (number) ON DELETE CASCADE,
            meta text NOT NULL,
            profile text
        );

        -- A name stays with its counter when its datasets are gone: no version comes twice.
        CREATE TABLE names (
            number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            name text COLLATE "C" NOT NULL UNIQUE,
            last_version bigint NOT NULL
        );
        CREATE TABLE versions (
            name bigint NOT NULL REFERENCES names (number),
            version bigint NOT NULL,
            dataset bigint NOT NULL REFERENCES datasets (number) ON DELETE CASCADE,
            PRIMARY KEY (name, version),
            UNIQUE (dataset, name)
        );

        CREATE TABLE keys (
            key text COLLATE "C" PRIMARY KEY,
            fingerprint text NOT NULL,
            expires_at bigint NOT NULL
        );
        CREATE INDEX keys_by_expiry ON keys (expires_at);

        -- Artifacts in the database. They are compressed already: to try it again takes time, and the room is the same.
        CREATE TABLE chunks (
            location text COLLATE "C" NOT NULL,
            number integer NOT NULL,
            content bytea NOT NULL,
            PRIMARY KEY (location, number)
        );
        ALTER TABLE chunks ALTER COLUMN content SET STORAGE EXTERNAL;
        -- Whose chunks have no dataset any more. Those of a large one are removed some at a time.
        CREATE TABLE unused (location text COLLATE "C" PRIMARY KEY);

        -- How much there is, so that a quota costs the same however much that is. Once a statement, not once a row:
        -- whoever removes several would else hold this row while he waits for the next of those.
        CREATE TABLE totals (datasets bigint NOT NULL, bytes bigint NOT NULL);
        INSERT INTO totals VALUES (0, 0);
        CREATE FUNCTION datasets_added() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            UPDATE totals SET datasets = datasets + n, bytes = bytes + size
                FROM (SELECT count(*) AS n, sum(size_bytes) AS size FROM added) AS more WHERE n > 0;
            RETURN NULL;
        END $$;
        CREATE TRIGGER datasets_added AFTER INSERT ON datasets
            REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION datasets_added();
        CREATE FUNCTION datasets_removed() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO unused SELECT location FROM removed WHERE location LIKE 'database:%';
            UPDATE totals SET datasets = datasets - n, bytes = bytes - size
                FROM (SELECT count(*) AS n, sum(size_bytes) AS size FROM removed) AS less WHERE n > 0;
            RETURN NULL;
        END $$;
        CREATE TRIGGER datasets_removed AFTER DELETE ON datasets
            REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION datasets_removed();

        -- Which datasets have a tag: bit N of block B tells it of the dataset 512 * B + N.
        CREATE TABLE tag_blocks (
            tag text COLLATE "C" NOT NULL,
            block bigint NOT NULL,
            bits bit(512) NOT NULL,
            PRIMARY KEY (tag, block)
        ) WITH (fillfactor = 70);
        CREATE FUNCTION tags_changed() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            -- One after the other, as with the totals: else two might wait for each other's blocks.
            PERFORM FROM totals FOR UPDATE;
            IF TG_OP <> 'INSERT' THEN
                UPDATE tag_blocks SET bits = set_bit(bits, (OLD.number % 512)::integer, 0)
                    WHERE tag = ANY (OLD.tags) AND block = OLD.number / 512;
                DELETE FROM tag_blocks
                    WHERE tag = ANY (OLD.tags) AND block = OLD.number / 512 AND bits = 0::bit(512);
            END IF;
            IF TG_OP <> 'DELETE' THEN
                INSERT INTO tag_blocks
                    SELECT DISTINCT tag, NEW.number / 512, set_bit(0::bit(512), (NEW.number % 512)::integer, 1)
                    FROM unnest(NEW.tags) AS tag
                    ON CONFLICT (tag, block) DO UPDATE SET bits = tag_blocks.bits | excluded.bits;
            END IF;
            RETURN NULL;
        END $$;
        CREATE TRIGGER tags_changed AFTER INSERT OR UPDATE OF tags OR DELETE ON datasets
            FOR EACH ROW EXECUTE FUNCTION tags_changed();

        -- What was committed lately: whoever was not told how his commit ended finds its token here, or does not.
        CREATE TABLE commits (token uuid PRIMARY KEY, at timestamptz NOT NULL DEFAULT now());

        -- Which database this is: a folder of artifacts belongs to one.
        CREATE TABLE identity (id uuid NOT NULL DEFAULT gen_random_uuid());
        INSERT INTO identity DEFAULT VALUES;
        """,
        """
        DROP TABLE chunks, commits, details, identity, keys, names, totals, unused, versions, datasets, tag_blocks;
        DROP FUNCTION datasets_added, datasets_removed, tags_changed;
        """,
    ),
)
"""Each is applied once, in order; a step that was ever released is never changed."""

OLDEST = 140_000
"""Before it, nothing counts bits."""

_LOCK = 0x6A756E69706572  # "juniper": nobody else of this database takes it
_VERSIONS = """
    CREATE TABLE IF NOT EXISTS schema_versions (
        version integer PRIMARY KEY,
        back text NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT now()
    )
"""
# A session says which schema it works with, as `application` names it.
_NEWER = """
    SELECT count(*) AS value FROM pg_stat_activity
    WHERE datname = current_database() AND application_name ~ '^juniper-data/[0-9]+$'
        AND split_part(application_name, '/', 2)::integer > %s
"""


_BACK = "SELECT back AS value FROM schema_versions WHERE version = %s"


def application(steps: tuple[Step, ...] = STEPS) -> str:
    """What a session calls itself: others see by it which schema it works with."""
    return f"juniper-data/{len(steps)}"


def migrate(connection: Connection[Row], steps: tuple[Step, ...] = STEPS) -> None:
    """Bring the schema to the version of these steps, in the caller's transaction; one process at a time.

    A schema that is one version ahead, as the next release left it, is led back by what the database keeps of that
    step.

    Raises:
        StoreError: it is further ahead, or somebody works with the newer one; or the database is no UTF-8, or too old.
    """
    if connection.info.server_version < OLDEST:
        raise StoreError(
            f"the server is PostgreSQL {connection.info.server_version // 10_000}, and 14 is the oldest that will do"
        )
    encoding = _value(connection, "SELECT current_setting('server_encoding') AS value")
    if encoding != "UTF8":
        raise StoreError(f"the database's encoding is {encoding}: make another one, with createdb --encoding UTF8")
    connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
    connection.execute(_VERSIONS)
    version = _value(connection, "SELECT coalesce(max(version), 0) AS value FROM schema_versions")
    if version > len(steps) + 1:
        raise StoreError(
            f"the database has schema {version}; this release knows {len(steps)} and leads back one: "
            "go on with a newer release, or restore a dump of before"
        )
    if version > len(steps):
        if _value(connection, _NEWER, len(steps)):
            raise StoreError(
                f"a newer release works with the database, which has schema {version}: stop that one first"
            )
        connection.execute(_value(connection, _BACK, version))
        connection.execute("DELETE FROM schema_versions WHERE version = %s", (version,))
    for number, step in enumerate(steps[version:], start=version + 1):
        connection.execute(step.forth)
        connection.execute("INSERT INTO schema_versions (version, back) VALUES (%s, %s)", (number, step.back))


def _value(connection: Connection[Row], query: str, *values: object) -> Any:
    return connection.execute(query, values or None).fetchall()[0]["value"]
