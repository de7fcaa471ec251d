"""The loaded network is edited over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from juniper_cascor.api.editing import operations
from juniper_cascor.api.envelope import failure
from juniper_cascor.engine.activations import ACTIVATIONS
from juniper_cascor.engine.network import Network
from juniper_cascor.runs import views
from juniper_common import openapi
from juniper_common.errors import ConflictError, exception_handlers
from juniper_common.wire.editing import AddHiddenUnit
from juniper_common.wire.training import Topology

UNITS = "/v1/network/hidden-units"
WEIGHTS = "/v1/network/weights"


class Bench:
    """Holds a network of two inputs, two hidden units and one output, and an app that edits it."""

    def __init__(self) -> None:
        self.network = Network(
            feature_mean=np.zeros(2),
            feature_scale=np.ones(2),
            hidden_weights=(np.array([1, 2, 3], np.float32), np.array([4, 5, 6, 7], np.float32)),
            activations=("tanh", "sin"),
            output_weights=np.array([[1.0, 2.0, 3.0, 4.0, 5.0]]),
        )
        self.trains = False
        handlers: Any = exception_handlers(failure)  # a Mapping, where Starlette's type wants a narrower one
        self.http = TestClient(Starlette(routes=openapi.routes(operations(self.edit)), exception_handlers=handlers))

    async def edit(self, change: Callable[[Network], Network]) -> Network:
        """Refuse while something trains."""
        if self.trains:
            raise ConflictError("a run trains")
        self.network = change(self.network)
        return self.network

    def topology(self) -> Topology:
        """What the network is."""
        return views.topology(self.network)


@pytest.fixture
def bench() -> Bench:
    """A network to work on."""
    return Bench()


def test_weights_are_changed(bench: Bench) -> None:
    """What is given, as it was given; the answer is the topology that came of it."""
    body = {"hidden_units": [{"id": 1, "weights": [8, 9, 10]}], "output_weights": [[1, 2, 3, 4]], "output_bias": [6]}
    response = bench.http.patch(WEIGHTS, json=body)
    assert response.status_code == 200
    answered = Topology.model_validate(response.json()["data"])
    assert answered == bench.topology()
    assert [(unit.weights, unit.bias) for unit in answered.hidden_units] == [([2, 3], 1), ([8, 9, 10], 4)]
    assert (answered.output_weights, answered.output_bias) == ([[1, 2, 3, 4]], [6])


def test_a_topology_can_be_sent_back(bench: Bench) -> None:
    """What was read and written again changes nothing."""
    before = bench.topology()
    body = before.model_dump(include={"output_weights", "output_bias"})
    body["hidden_units"] = [unit.model_dump(exclude={"activation"}) for unit in before.hidden_units]
    assert bench.http.patch(WEIGHTS, json=body).status_code == 200
    assert bench.topology() == before


def test_a_hidden_unit_is_added(bench: Bench) -> None:
    """After the others; what was not said of it is 0 and tanh."""
    response = bench.http.post(UNITS, json={"weights": [1, 2, 3, 4], "output_weights": [5]})
    assert response.status_code == 201
    answered = Topology.model_validate(response.json()["data"])
    assert answered == bench.topology()
    assert answered.hidden_units[2].model_dump() == {
        "id": 2,
        "weights": [1, 2, 3, 4],
        "bias": 0,
        "activation": "tanh",
    }
    assert answered.output_weights == [[2, 3, 4, 5, 5]]


def test_a_hidden_unit_is_removed(bench: Bench) -> None:
    """The units after it move up."""
    response = bench.http.delete(f"{UNITS}/0")
    assert response.status_code == 200
    answered = Topology.model_validate(response.json()["data"])
    assert answered == bench.topology()
    assert [(unit.id, unit.weights, unit.activation) for unit in answered.hidden_units] == [(0, [5, 6], "sin")]
    assert answered.output_weights == [[2, 3, 5]]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "field"),
    [
        ("PATCH", WEIGHTS, {"hidden_units": [{"id": 0}, {"id": 7}]}, 422, ["hidden_units", 1, "id"]),
        ("PATCH", WEIGHTS, {"hidden_units": [{"id": 0, "weights": [1]}]}, 422, ["hidden_units", 0, "weights"]),
        ("PATCH", WEIGHTS, {"hidden_units": [{"id": 0, "bias": 1e30}]}, 422, ["hidden_units", 0, "bias"]),
        ("PATCH", WEIGHTS, {"hidden_units": [{"weights": [1, 2]}]}, 422, ["hidden_units", 0, "id"]),
        ("PATCH", WEIGHTS, {"output_weights": [[1, 2, 3]]}, 422, ["output_weights", 0]),
        ("PATCH", WEIGHTS, {"output_weights": [[1, 2, 3, "x"]]}, 422, ["output_weights", 0, 3]),
        ("PATCH", WEIGHTS, {"output_bias": []}, 422, ["output_bias"]),
        ("PATCH", WEIGHTS, {"outputs": []}, 422, ["outputs"]),
        ("POST", UNITS, {}, 422, ["weights"]),
        ("POST", UNITS, {"weights": [1, 2, 3], "output_weights": [1]}, 422, ["weights"]),
        ("POST", UNITS, {"weights": [1, 2, 3, 4], "output_weights": []}, 422, ["output_weights"]),
        ("POST", UNITS, {"weights": [1, 1e20, 3, 4], "output_weights": [1]}, 422, ["weights", 1]),
        ("POST", UNITS, {"weights": [], "output_weights": [], "activation": "relu"}, 422, ["activation"]),
        ("DELETE", f"{UNITS}/2", None, 404, ["idx"]),
        ("DELETE", f"{UNITS}/-1", None, 422, ["idx"]),
        ("DELETE", f"{UNITS}/first", None, 422, ["idx"]),
        ("DELETE", f"{UNITS}/{'9' * 5000}", None, 422, ["idx"]),
    ],
)
def test_what_cannot_be_is_refused(
    bench: Bench, method: str, path: str, body: object, status: int, field: list[str | int]
) -> None:
    """The field is named by its path, and the network stays as it is."""
    before = bench.topology()
    response = bench.http.request(method, path, json=body)
    assert response.status_code == status
    assert response.json()["error"]["detail"][0]["loc"] == field
    assert bench.topology() == before


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e999"])
def test_what_is_no_number_is_refused(bench: Bench, number: str) -> None:
    """No weight is NaN or infinite."""
    response = bench.http.patch(WEIGHTS, content=f'{{"output_bias": [{number}]}}')
    assert response.status_code == 422
    assert response.json()["error"]["detail"][0]["loc"] == ["output_bias", 0]


@pytest.mark.parametrize(("method", "path"), [("PATCH", WEIGHTS), ("DELETE", f"{UNITS}/0")])
def test_nothing_is_edited_while_something_trains(bench: Bench, method: str, path: str) -> None:
    """Whoever holds the network refuses, and that is the answer."""
    bench.trains = True
    response = bench.http.request(method, path, json={})
    assert response.status_code == 409
    assert response.json()["error"]["message"] == "a run trains"


def test_the_wire_knows_every_activation() -> None:
    """A unit may have each of the engine's functions, and no other."""
    assert get_args(AddHiddenUnit.model_fields["activation"].annotation) == ACTIVATIONS
