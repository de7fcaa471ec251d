"""How the schema comes from one version to the next, and back."""

from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from psycopg.rows import dict_row

from juniper_data.errors import StoreError
from juniper_data.stores.postgresql import PostgresqlStore
from juniper_data.stores.postgresql_schema import STEPS, Step, application, migrate
from tests.unit.juniper_data.stores.made import content_of, id_of, made
from tests.unit.juniper_data.stores.postgresql_server import shared_server
from tests.unit.juniper_data.stores.samples import contents

NEXT = (*STEPS, Step("CREATE TABLE later (n integer)", "DROP TABLE later"))
AFTER_NEXT = (*NEXT, Step("CREATE TABLE last (n integer)", "DROP TABLE last"))


@pytest.fixture
def url() -> str:
    """Where nothing is yet."""
    return shared_server().empty()


def migrated(url: str, steps: tuple[Step, ...]) -> None:
    """Do as the release does that knows these steps."""
    with psycopg.connect(url, row_factory=dict_row) as connection:
        migrate(connection, steps)


def tables(url: str) -> set[str]:
    """The names of all tables."""
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
        return {str(name) for (name,) in rows}


def test_each_step_is_applied_once(url: str) -> None:
    """A second service changes nothing; a newer release adds its own."""
    migrated(url, STEPS)
    migrated(url, STEPS)
    before = tables(url)
    migrated(url, NEXT)
    migrated(url, NEXT)
    assert tables(url) - before == {"later"}


def test_each_step_leads_back(url: str) -> None:
    """To nothing in the end."""
    migrated(url, STEPS)
    for known in range(len(STEPS) - 1, -1, -1):
        migrated(url, STEPS[:known])
    assert tables(url) == {"schema_versions"}


def test_the_release_before_goes_on_with_what_the_next_has_left(url: str, tmp_path: Path) -> None:
    """It knows nothing of that step: the database keeps how to undo it. Datasets stay."""
    with closing(PostgresqlStore(url, tmp_path)) as store:
        store.put(*made(1))
    migrated(url, NEXT)
    with closing(PostgresqlStore(url, tmp_path)) as store:
        assert contents(store) == {id_of(1): content_of(1)}
    assert "later" not in tables(url)


def test_a_schema_further_ahead_is_refused(url: str, tmp_path: Path) -> None:
    """And left as it is."""
    migrated(url, AFTER_NEXT)
    with pytest.raises(StoreError, match=f"has schema {len(AFTER_NEXT)}; this release knows {len(STEPS)}"):
        PostgresqlStore(url, tmp_path)
    assert {"later", "last"} < tables(url)


def test_nobody_leads_back_what_others_work_with(url: str) -> None:
    """A service of the newer release that runs meanwhile is named."""
    migrated(url, NEXT)
    with psycopg.connect(url, application_name=application(NEXT)):
        with pytest.raises(StoreError, match="a newer release works with the database"):
            migrated(url, STEPS)
        assert "later" in tables(url)
    migrated(url, STEPS)
    assert "later" not in tables(url)


def test_a_step_that_fails_changes_nothing(url: str) -> None:
    """Neither do those before it, of the same start."""
    broken = (*NEXT, Step("CREATE TABLE last (n integer); CREATE TABLE later (n integer)", ""))
    with pytest.raises(psycopg.errors.DuplicateTable):
        migrated(url, broken)
    assert tables(url) == set()
