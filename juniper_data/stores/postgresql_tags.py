"""Which datasets have the tags that are asked for, in PostgreSQL.

`tag_blocks` has a bit for each dataset that a tag has: a row says it of `BLOCK` datasets, whose numbers follow each
other. To unite and count 100,000 of them so takes a few milliseconds, and tens where each is a row, or a list in one.
The schema's triggers keep these, and remove a row whose last bit is gone.
"""

from dataclasses import dataclass

from psycopg import Connection

from juniper_common.wire.dataset_queries import DatasetFilter
from juniper_data.stores.postgresql_query import Values, escaped
from juniper_data.stores.postgresql_rows import Row
from juniper_data.stores.query import asked_tags

BLOCK = 512
"""As many as the schema says."""

FEW = 1_000
"""Up to so many datasets are looked up by their numbers; of more, some are soon met among all."""

_FITTING = {
    "any": """
        SELECT block, bit_or(bits) AS bits FROM tag_blocks WHERE tag = ANY (%(tags)s::text[]) GROUP BY block
    """,
    "all": """
        SELECT block, bit_and(bits) AS bits FROM tag_blocks WHERE tag = ANY (%(tags)s::text[]) GROUP BY block
        HAVING count(*) = cardinality(%(tags)s::text[])
    """,
}
_EXTENT = """
    SELECT coalesce(sum(bit_count(bits)), 0)::bigint AS n,
        coalesce(min(block), 0) AS first, coalesce(max(block), 0) AS last
    FROM ({fitting}) AS fitting
"""
# The place of each bit from the lengths of the gaps between them; behind the last one comes one gap more.
_FEW = f"""number = ANY (ARRAY(
    SELECT block * {BLOCK} + place FROM (
        SELECT block, sum(length(gap) + 1) OVER (PARTITION BY block ORDER BY ordinality) - 1 AS place
        FROM ({{fitting}}) AS fitting, unnest(string_to_array(bits::text, '1')) WITH ORDINALITY AS gaps (gap)
    ) AS places WHERE place < {BLOCK}
))"""  # noqa: S608
# All blocks in a row, with zeros for those that are missing; it is made once a statement.
_MANY = f"""CASE WHEN number BETWEEN %(first_number)s AND %(last_number)s THEN get_bit((
    SELECT string_agg(repeat('0', {BLOCK} * (block - before - 1)::integer) || bits, '' ORDER BY block)::bit varying
    FROM (
        SELECT block, bits, lag(block, 1, %(first)s - 1::bigint) OVER (ORDER BY block) AS before
        FROM ({{fitting}}) AS fitting
    ) AS blocks
), (number - %(first_number)s)::integer) = 1 ELSE FALSE END"""  # noqa: S608

BY_TAG = "SELECT tag, sum(bit_count(bits))::bigint AS n FROM tag_blocks GROUP BY tag ORDER BY tag"
"""How many datasets each tag has."""


@dataclass(frozen=True)
class Tagged:
    """The datasets that have the tags asked for."""

    n: int
    condition: str
    """What follows WHERE of `datasets`."""
    values: Values


def tagged(connection: Connection[Row], query: DatasetFilter) -> Tagged | None:
    """Those that a query asks for by their tags; None where it asks for no tag."""
    tags = [escaped(tag) for tag in asked_tags(query)]
    if not tags:
        return None
    fitting = _FITTING[query.tags_match]
    values: Values = {"tags": tags}
    (extent,) = connection.execute(_EXTENT.format(fitting=fitting), values).fetchall()
    if extent["n"] <= FEW:
        return Tagged(extent["n"], _FEW.format(fitting=fitting), values)
    first, last = extent["first"], extent["last"]
    values |= {"first": first, "first_number": BLOCK * first, "last_number": BLOCK * (last + 1) - 1}
    return Tagged(extent["n"], _MANY.format(fitting=fitting), values)
