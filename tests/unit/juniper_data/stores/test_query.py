"""How the index finds what a list shows."""

import pytest

from juniper_common.wire.dataset_queries import DatasetFilter
from juniper_data.stores.index import Index
from juniper_data.stores.protocol import Quota
from juniper_data.stores.query import condition
from tests.unit.juniper_data.stores.made import NOON, id_of


@pytest.mark.parametrize(
    "query",
    [
        DatasetFilter(),
        DatasetFilter(generator="xor"),
        DatasetFilter(tags="a,b", tags_match="all"),
        DatasetFilter(created_after=NOON, min_samples=1),
        DatasetFilter(include_expired=True),
        DatasetFilter(dataset_name="a"),
        DatasetFilter(dataset_version=1),
        DatasetFilter(parent_dataset_id=id_of(1)),
        DatasetFilter(parent_dataset_id=id_of(1), tags="a", created_before=NOON),
    ],
    ids=str,
)
@pytest.mark.parametrize("what", ["count(*)", "number"])
def test_a_filter_reads_one_index_in_its_order(query: DatasetFilter, what: str) -> None:
    """Neither the wide table nor a sorted copy: with very many datasets either would take too long."""
    where, values = condition(query, NOON, {"a": 1})
    sql = f"EXPLAIN QUERY PLAN SELECT {what} FROM datasets WHERE {where}"  # noqa: S608
    order = "" if what == "count(*)" else " ORDER BY created_at DESC, id DESC"
    index = Index(None, Quota())
    with index._reading() as connection:
        plan = [row["detail"] for row in connection.execute(sql + order, values)]
    index.close()
    assert [step for step in plan if "datasets" in step and "USING COVERING INDEX" not in step] == []
    assert not any("TEMP B-TREE" in step for step in plan)
