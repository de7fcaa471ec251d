"""`/v1/predict` and `/v1/models`: grown networks that answer."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from starlette.requests import Request
from starlette.responses import Response

from juniper_cascor.api.envelope import success
from juniper_cascor.api.prediction_json import PIECE_VALUES, prediction_json
from juniper_cascor.api.rows import read_rows
from juniper_cascor.serving.batcher import Batcher
from juniper_cascor.serving.model_store import ModelStore
from juniper_cascor.serving.snapshot_networks import NamedNetwork, SnapshotNetworks
from juniper_common.errors import NotFoundError, UnprocessableError
from juniper_common.openapi import Operation
from juniper_common.requests import read_body
from juniper_common.wire.envelope import Success
from juniper_common.wire.errors import FieldProblem
from juniper_common.wire.models import (
    AnsweredBy,
    ModelCard,
    ModelDeleted,
    ModelInfo,
    ModelList,
    Prediction,
    PredictRequest,
    PredictRows,
    PromoteModel,
)

MAX_SCORES = 5_000_000
"""Of one answer, whose text then has a hundred megabytes."""


@dataclass(frozen=True)
class Grown:
    """Where the networks of runs are found."""

    in_foreground: Callable[[], NamedNetwork]
    """As it stands. Raises NotFoundError where none is loaded."""
    newest_snapshot_id: Callable[[str], str]
    """Of a run's id, the newest that reads well. Raises NotFoundError where there is none; may block on the disk."""
    snapshot_path: Callable[[str], Path]
    """Of a snapshot's id. Raises NotFoundError where there is none; may block on the disk."""

    def snapshot_id(self, asked: PredictRequest | PromoteModel) -> str:
        """The snapshot that is asked for, or the newest of the run that is. Raises NotFoundError."""
        return asked.snapshot_id or self.newest_snapshot_id(str(asked.run_id))


def operations(store: ModelStore, batcher: Batcher, grown: Grown) -> list[Operation]:
    """The operations on networks that are grown."""
    networks = SnapshotNetworks()

    async def predict(request: Request) -> Response:
        """Ask the network in the foreground, or that of a run or snapshot, about rows of measurements."""
        asked = await read_rows(request, PredictRequest)
        if asked.request.run_id is None and asked.request.snapshot_id is None:
            named = grown.in_foreground()
        else:
            named = await asyncio.to_thread(_of_snapshot, networks, grown, asked.request)
        return await _answer(batcher, named, asked.matrix(named.network.n_inputs))

    async def predict_by_model(request: Request) -> Response:
        """Ask a named model about rows of measurements."""
        asked = await read_rows(request, PredictRows)
        model = await asyncio.to_thread(store.loaded, _name(request))
        named = NamedNetwork(model.network, model.card.labels, f"{model.card.name}/{model.card.version}")
        return await _answer(batcher, named, asked.matrix(model.card.n_inputs))

    async def list_models(_: Request) -> Response:
        """Every named model with its card; one that cannot answer says why."""
        return success(ModelList(models=await asyncio.to_thread(store.listed)))

    async def get_model(request: Request) -> Response:
        """A named model: the card of the version that answers, and the versions that are kept."""
        return success(await asyncio.to_thread(store.info, _name(request)))

    async def get_model_version(request: Request) -> Response:
        """The card of one version of a named model."""
        return success(await asyncio.to_thread(store.card, _name(request), _version(request)))

    async def promote_model(request: Request) -> Response:
        """Promote a snapshot, or a run's newest one, to a name: it answers from now on, and those before are kept."""
        asked = await read_body(request, PromoteModel)
        return success(await asyncio.to_thread(_promote, store, grown, _name(request), asked), 201)

    async def roll_back_model(request: Request) -> Response:
        """Let the version of a named model that answered before this one answer again."""
        return success(await asyncio.to_thread(store.rollback, _name(request)))

    async def delete_model(request: Request) -> Response:
        """Delete a named model with all its versions; the snapshots that they were made of stay."""
        await asyncio.to_thread(store.delete, _name(request))
        return success(ModelDeleted(name=_name(request)))

    prediction = {200: Success[Prediction]}
    one = "/v1/models/{name}"
    return [
        Operation(method="POST", path="/v1/predict", handler=predict, body=PredictRequest, responses=prediction),
        Operation(method="GET", path="/v1/models", handler=list_models, responses={200: Success[ModelList]}),
        Operation(method="GET", path=one, handler=get_model, responses={200: Success[ModelInfo]}),
        Operation(
            method="POST", path=one, handler=promote_model, body=PromoteModel, responses={201: Success[ModelCard]}
        ),
        Operation(method="DELETE", path=one, handler=delete_model, responses={200: Success[ModelDeleted]}),
        Operation(
            method="GET",
            path=f"{one}/versions/{{version}}",
            handler=get_model_version,
            responses={200: Success[ModelCard]},
        ),
        Operation(
            method="POST",
            path=f"{one}/predict",
            handler=predict_by_model,
            body=PredictRows,
            responses=prediction,
        ),
        Operation(method="POST", path=f"{one}/rollback", handler=roll_back_model, responses={200: Success[ModelCard]}),
    ]


async def _answer(batcher: Batcher, named: NamedNetwork, rows: NDArray[np.float64]) -> Response:
    network = named.network
    if len(rows) * network.n_outputs > MAX_SCORES:
        most = f"at most {MAX_SCORES // network.n_outputs} at once: the network has {network.n_outputs} outputs"
        raise UnprocessableError(f"rows: {most}", (FieldProblem(loc=["rows"], msg=most),))
    outputs = await batcher.outputs(network, rows)
    by = AnsweredBy(task=network.task, hidden_units=network.n_hidden_units, model=named.name)
    if outputs.size <= PIECE_VALUES:
        content = prediction_json(by, network, named.labels, outputs)
    else:
        content = await asyncio.to_thread(prediction_json, by, network, named.labels, outputs)
    return Response(content, media_type="application/json")


def _of_snapshot(networks: SnapshotNetworks, grown: Grown, asked: PredictRequest) -> NamedNetwork:
    with _naming_id(asked):
        snapshot_id = grown.snapshot_id(asked)
        return networks.of(snapshot_id, grown.snapshot_path(snapshot_id))


def _promote(store: ModelStore, grown: Grown, name: str, asked: PromoteModel) -> ModelCard:
    with _naming_id(asked):
        snapshot_id = grown.snapshot_id(asked)
        path = grown.snapshot_path(snapshot_id)
        try:
            content = path.read_bytes()
        except FileNotFoundError as error:
            raise NotFoundError(f"there is no snapshot {snapshot_id}") from error
    return store.promote(name, content, snapshot_id=snapshot_id, notes=asked.notes)


@contextmanager
def _naming_id(asked: PredictRequest | PromoteModel) -> Iterator[None]:
    """What is not found is told by the field that asked for it."""
    try:
        yield
    except NotFoundError as error:
        field = "snapshot_id" if asked.run_id is None else "run_id"
        raise NotFoundError(error.message, (FieldProblem(loc=[field], msg=error.message),)) from error


def _name(request: Request) -> str:
    return str(request.path_params["name"])


def _version(request: Request) -> int:
    text = str(request.path_params["version"])
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        problem = f"there is no version {text!r}: versions are numbers from 1 on"
        raise NotFoundError(problem, (FieldProblem(loc=["version"], msg=problem),))
    return int(text)
