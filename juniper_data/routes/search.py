"""Datasets found and counted."""

from starlette.requests import Request
from starlette.responses import Response

from juniper_common.errors import NotFoundError
from juniper_common.openapi import Operation
from juniper_common.requests import read_query
from juniper_common.wire.dataset_queries import (
    DatasetFilter,
    DatasetLineage,
    DatasetStats,
    DatasetVersions,
    FoundDatasets,
    NameQuery,
)
from juniper_common.wire.datasets import DatasetMeta
from juniper_data.catalog import Catalog
from juniper_data.routes.datasets import IDS, answered


class SearchRoutes:
    """The handlers."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def operations(self) -> list[Operation]:
        """How datasets are found."""
        return [
            Operation(
                method="GET",
                path="/v1/datasets/filter",
                handler=self.filter_datasets,
                query=DatasetFilter,
                responses={200: FoundDatasets},
                errors=(400,),
            ),
            Operation(
                method="GET",
                path="/v1/datasets/stats",
                handler=self.get_dataset_stats,
                responses={200: DatasetStats},
            ),
            Operation(
                method="GET",
                path="/v1/datasets/versions",
                handler=self.list_versions,
                query=NameQuery,
                responses={200: DatasetVersions},
            ),
            Operation(
                method="GET",
                path="/v1/datasets/latest",
                handler=self.get_latest,
                query=NameQuery,
                responses={200: DatasetMeta},
                errors=(404,),
            ),
            Operation(
                method="GET",
                path="/v1/datasets/{dataset_id}/lineage",
                handler=self.get_lineage,
                responses={200: DatasetLineage},
                patterns=IDS,
            ),
        ]

    async def filter_datasets(self, request: Request) -> Response:
        """Find the datasets that fit, newest first, a page at a time."""
        query = read_query(request, DatasetFilter)
        return await answered(lambda: self._catalog.find(query))

    async def get_dataset_stats(self, _: Request) -> Response:
        """Count the datasets, by generator and by tag, and how much they hold."""
        return await answered(self._catalog.stats)

    async def list_versions(self, request: Request) -> Response:
        """List the versions of a name, oldest first; of a name that was never given there are none."""
        name = read_query(request, NameQuery).name

        def versions() -> DatasetVersions:
            metas = tuple(self._catalog.versions(name))
            latest = metas[-1].dataset_version if metas else None
            return DatasetVersions(dataset_name=name, versions=metas, total=len(metas), latest_version=latest)

        return await answered(versions)

    async def get_latest(self, request: Request) -> Response:
        """Tell of the latest version of a name."""
        name = read_query(request, NameQuery).name

        def latest() -> DatasetMeta:
            versions = self._catalog.versions(name, last=1)
            if not versions:
                raise NotFoundError(f"no dataset has the name {name!r}")
            return versions[0]

        return await answered(latest)

    async def get_lineage(self, request: Request) -> Response:
        """Tell what a dataset was made from, and what was made of it."""
        dataset_id: str = request.path_params["dataset_id"]
        return await answered(lambda: self._catalog.lineage(dataset_id))
