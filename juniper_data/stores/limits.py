"""What no store goes beyond: its quota, the tags of a dataset, the bytes of a page."""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol, TypeVar

from juniper_common.wire.datasets import DatasetMeta
from juniper_common.wire.errors import FieldProblem
from juniper_data.errors import InvalidParametersError, QuotaExceededError
from juniper_data.stores.protocol import Quota

MAX_TAGS = 100

MAX_PAGE_BYTES = 8_000_000
"""The metas of a page: those of datasets with tens of thousands of named features have megabytes each."""


class Row(Protocol):
    """A row of a database, by the names of its columns."""

    def __getitem__(self, column: str, /) -> Any:
        """One value."""


RowT = TypeVar("RowT", bound=Row)


def check_quota(quota: Quota, datasets: int, size: int, meta: DatasetMeta) -> None:
    """Whether a store takes a dataset more.

    Args:
        quota: how much it takes.
        datasets: how many it has that have not expired.
        size: the bytes of these.
        meta: the one more.

    Raises:
        QuotaExceededError: it does not.
    """
    if quota.max_datasets is not None and datasets + 1 > quota.max_datasets:
        raise too_many(quota)
    if quota.max_bytes is not None and size + meta.size_bytes > quota.max_bytes:
        raise too_large(quota, size, meta.size_bytes)


def too_many(quota: Quota) -> QuotaExceededError:
    """There are as many datasets as the quota allows."""
    return QuotaExceededError(
        f"the store may hold {quota.max_datasets} datasets (JUNIPER_DATA_MAX_DATASETS) and has them;"
        " delete some, or allow more"
    )


def too_large(quota: Quota, size: int, more: int) -> QuotaExceededError:
    """There are so many bytes, and more would be above the quota."""
    return QuotaExceededError(
        f"the store may hold {quota.max_bytes} bytes (JUNIPER_DATA_MAX_BYTES), has"
        f" {size} and cannot take {more} more; delete some datasets, or allow more"
    )


def changed_tags(meta: DatasetMeta, add: Sequence[str], remove: Sequence[str]) -> list[str]:
    """A dataset's tags without some, then some at the end, each once. Raises InvalidParametersError beyond MAX_TAGS."""
    kept = [tag for tag in meta.tags if tag not in set(remove)]
    tags = list(dict.fromkeys([*kept, *add]))
    if len(tags) > MAX_TAGS:
        problem = FieldProblem(loc=["add_tags"], msg=f"a dataset has at most {MAX_TAGS} tags")
        raise InvalidParametersError((problem,))
    return tags


def page_of(rows: Iterable[RowT], limit: int) -> tuple[list[RowT], bool]:
    """The rows of one page, and whether it is the last: one at least, and no more bytes of metas than fit."""
    shown: list[RowT] = []
    size = 0
    for row in rows:
        size += len(row["meta"])
        if len(shown) == limit or (shown and size > MAX_PAGE_BYTES):
            return shown, False
        shown.append(row)
    return shown, True
