"""Finds what a start asks to train on: rows in the request, a dataset of the data service, or the demo spiral."""

import asyncio
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import numpy as np
from pydantic import ValidationError

from juniper_cascor.engine import patterns
from juniper_cascor.engine.errors import DataError
from juniper_cascor.engine.parameters import Task
from juniper_cascor.runs import dataset_file
from juniper_cascor.runs.dataset_file import DatasetFileError, KeptFiles, TrainingData
from juniper_common.errors import BadRequestError, NotFoundError, UnavailableError, UnprocessableError
from juniper_common.http import ClientError, InvalidRequestError, UnreachableError
from juniper_common.http import NotFoundError as NotFoundAtDataError
from juniper_common.wire.errors import FieldProblem
from juniper_common.wire.training import DatasetSource, InlineData
from juniper_data.client import AsyncJuniperDataClient

DEMO = DatasetSource(generator="spiral", params={"n_spirals": 2, "n_points_per_spiral": 200, "noise": 0.15, "seed": 42})
"""What is trained on where nothing was asked for."""


_CHECKSUM = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class FoundDataset:
    """Data, and the file that holds it for as long as its runs are kept."""

    dataset_id: str | None
    path: Path
    checksum: str
    data: TrainingData


class AsksForData(Protocol):
    """What a start, a post of runs and a swap have in common."""

    @property
    def dataset(self) -> DatasetSource | None:
        """Data of the data service."""
        ...

    @property
    def inline_data(self) -> InlineData | None:
        """Rows in the request."""
        ...


class Datasets:
    """Keeps each dataset that was ever trained on, under its checksum.

    Args:
        folder: where.
        client: of the data service.
        address: of the data service, as it stands in the URLs of its datasets.
    """

    def __init__(self, folder: Path, client: AsyncJuniperDataClient, address: str) -> None:
        self.folder = folder
        self._client = client
        self._address = address
        self._files = KeptFiles()

    async def find(self, request: AsksForData, task: str) -> FoundDataset:
        """The data that is asked for, checked.

        Raises:
            UnprocessableError: it cannot be trained on; the row and column are named.
            NotFoundError: there is no such dataset.
            UnavailableError: the data service does not answer.
        """
        source = request.dataset or (None if request.inline_data else DEMO)
        is_inline = source is None or source.source == "inline"
        if is_inline != (request.inline_data is not None):
            problem = "needs source inline" if request.inline_data else "is missing, though the source is inline"
            raise UnprocessableError(f"inline_data {problem}", (FieldProblem(loc=["inline_data"], msg=problem),))
        if request.inline_data is not None:
            return await asyncio.to_thread(self._inline, request.inline_data, task)
        assert source is not None  # noqa: S101 - is_inline is False
        found = await self._fetched(source)
        await asyncio.to_thread(_check, found.data, task, is_inline=False)
        return found

    async def kept(self, dataset_id: str | None, checksum: str) -> FoundDataset:
        """The data that a run or a snapshot names, fetched again where it is no longer kept.

        Raises:
            NotFoundError, UnavailableError: it is nowhere.
        """
        path = await self.fetch(dataset_id, checksum)
        try:
            return FoundDataset(dataset_id, path, checksum, await asyncio.to_thread(dataset_file.read, path))
        except DatasetFileError as error:
            raise UnavailableError(str(error)) from error

    async def fetch(self, dataset_id: str | None, checksum: str) -> Path:
        """The file of the data that a run or a snapshot names, whole; fetched again where it is not. As `kept`."""
        if not _CHECKSUM.fullmatch(checksum):  # A snapshot's may be anything, and lead elsewhere.
            raise _gone(f"{checksum[:64]!r} is no checksum of a dataset")
        path = self.folder / f"{checksum}.npz"
        if await asyncio.to_thread(self._files.has, path):
            return path
        if dataset_id is None:
            raise _gone(f"the rows that it was trained on, {checksum[:16]}…, are no longer kept")
        try:
            source = DatasetSource(dataset_id=dataset_id)
        except ValidationError:
            raise _gone(f"{dataset_id[:64]!r} is no id of a dataset") from None
        found = await self._fetched(source)
        if found.checksum != checksum:
            raise _gone(f"dataset {dataset_id} is another one now than it was trained on")
        return found.path

    def _inline(self, rows: InlineData, task: str) -> FoundDataset:
        data = TrainingData(
            x=_matrix(rows.train_x, "train_x"),
            y=_matrix(rows.train_y, "train_y"),
            x_val=None if rows.val_x is None else _matrix(rows.val_x, "val_x"),
            y_val=None if rows.val_y is None else _matrix(rows.val_y, "val_y"),
        )
        if (data.x_val is None) != (data.y_val is None):
            missing = "val_x" if data.x_val is None else "val_y"
            problem = "is missing: validation takes both"
            raise UnprocessableError(f"{missing} {problem}", (FieldProblem(loc=["inline_data", missing], msg=problem),))
        _check(data, task, is_inline=True)
        path, checksum = dataset_file.write(self.folder, data)
        return FoundDataset(None, path, checksum, data)

    async def _fetched(self, source: DatasetSource) -> FoundDataset:
        try:
            dataset_id = self._id_in_url(source) if source.source == "url" else source.dataset_id
            if dataset_id is not None:
                meta = await self._client.get_dataset(dataset_id)
            elif source.generator is not None:
                meta = (await self._client.create_dataset(source.generator, source.params)).meta
            else:
                problem = "name a generator or a dataset_id"
                raise UnprocessableError(problem, (FieldProblem(loc=["dataset"], msg=problem),))
            self.folder.mkdir(parents=True, exist_ok=True)
            path = self.folder / f"{meta.checksum}.npz"
            if not await asyncio.to_thread(self._files.has, path):
                await self._client.download_artifact(meta.dataset_id, path, checksum=meta.checksum)
            data = await asyncio.to_thread(dataset_file.read, path)
            return FoundDataset(meta.dataset_id, path, meta.checksum, data)
        except NotFoundAtDataError as error:
            raise _gone(error.message) from error
        except InvalidRequestError as error:
            raise BadRequestError(error.message, _relocated(error)) from error
        except UnreachableError as error:
            raise UnavailableError(
                f"the data service does not answer ({error}); start it: juniper-ctl start data"
            ) from error
        except TimeoutError as error:
            raise UnavailableError(
                f"the data service is still making the dataset: {error}; start again later"
            ) from error
        except (ClientError, DatasetFileError) as error:
            raise UnavailableError(f"the data service gave no usable dataset: {error}") from error

    def _id_in_url(self, source: DatasetSource) -> str:
        """The dataset that a URL names. Another address than the data service's is never called."""
        url, own = urlsplit(source.url or ""), urlsplit(self._address)
        parts = url.path.removeprefix(own.path.rstrip("/")).strip("/").removesuffix("/artifact").split("/")
        if (url.scheme or own.scheme, url.netloc or own.netloc) != own[:2] or parts[:-1] != ["v1", "datasets"]:
            problem = f"must be {self._address}/v1/datasets/ID, a dataset of the data service"
            raise UnprocessableError(f"url {problem}", (FieldProblem(loc=["dataset", "url"], msg=problem),))
        return parts[-1]


def _gone(message: str) -> NotFoundError:
    return NotFoundError(message, (FieldProblem(loc=["dataset"], msg=message),))


def _relocated(error: InvalidRequestError) -> tuple[FieldProblem, ...]:
    """The fields that the data service named, as fields of the start request."""
    if not isinstance(error.detail, list):
        return (FieldProblem(loc=["dataset", "generator"], msg=error.message),)
    problems = [FieldProblem.model_validate(problem) for problem in error.detail]
    return tuple(problem.model_copy(update={"loc": ["dataset", *problem.loc]}) for problem in problems)


def _matrix(rows: list[list[float]] | list[float], name: str) -> dataset_file.Matrix:
    try:
        with np.errstate(over="ignore"):  # What single precision cannot hold becomes infinite, which is refused later.
            matrix = np.asarray(rows, np.float32)
    except ValueError:
        problem = "the rows differ in length"
        raise UnprocessableError(
            f"{name}: {problem}", (FieldProblem(loc=["inline_data", name], msg=problem),)
        ) from None
    return matrix if matrix.ndim == 2 else matrix.reshape(-1, 1)


def _check(data: TrainingData, task: str, *, is_inline: bool) -> None:
    kind: Task = "regression" if task == "regression" else "classification"
    try:
        _, y = patterns.checked(data.x, data.y, kind)
        if kind == "classification":
            patterns.check_several_classes(y)
        if data.x_val is not None and data.y_val is not None:
            patterns.checked(data.x_val, data.y_val, kind, suffix="_val")
            _check_same_columns(data.x, data.x_val, "val_x")
            _check_same_columns(data.y, data.y_val, "val_y")
    except DataError as error:
        name = {"x": "train_x", "y": "train_y", "x_val": "val_x", "y_val": "val_y"}[error.array]
        places = [place for place in (error.row, error.column) if place is not None]
        loc: list[str | int] = ["inline_data", name, *places] if is_inline else ["dataset"]
        raise UnprocessableError(str(error), (FieldProblem(loc=loc, msg=str(error)),)) from error


def _check_same_columns(trained: dataset_file.Matrix, watched: dataset_file.Matrix, name: str) -> None:
    if trained.shape[1] != watched.shape[1]:
        problem = f"has {watched.shape[1]} columns, the training rows have {trained.shape[1]}"
        raise UnprocessableError(f"{name} {problem}", (FieldProblem(loc=["inline_data", name], msg=problem),))
