"""Datasets as the service makes them, without waiting in line."""

from juniper_common.wire.datasets import CreateDatasetRequest
from juniper_data.catalog import Catalog
from juniper_data.stores.protocol import Stored


def create(catalog: Catalog, request: CreateDatasetRequest, key: str | None = None) -> Stored:
    """The dataset that was asked for: the stored one where it is there, else a new one."""
    order = catalog.order(request, key)
    return catalog.find_made(order) or catalog.make(order)
