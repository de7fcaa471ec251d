"""Edits of a network that nothing trains, and what is made of them."""

import numpy as np
import pytest

from tests.integration.conftest import Cascor
from tests.integration.growth import answered, ask, fields, grown, ids, refused, tell, topology

POINTS = [[0.5, 0.5], [-3.0, 2.0], [6.0, -1.0]]


def predicted(cascor: Cascor) -> dict[str, object]:
    """What the loaded network says of some points."""
    answer: dict[str, object] = tell(cascor, "predict", {"rows": POINTS})
    return answer


def loss(cascor: Cascor) -> float:
    """The loaded network's mean squared error over the training patterns."""
    data = ask(cascor, "dataset/data")
    scores = np.array(tell(cascor, "predict", {"rows": data["train_x"]})["scores"])
    targets = np.array(data["train_y"]).reshape(len(scores), -1)
    if scores.shape[1] > 1:
        targets = np.eye(scores.shape[1])[targets[:, 0]]
    return float(((scores - targets) ** 2).mean())


def test_weights_are_changed(cascor: Cascor) -> None:
    """Of a unit and of the outputs: topology, predictions and boundary are those of the edited network."""
    grown(cascor)
    before = topology(cascor)
    unit = {"id": 1, "weights": [0.5, -0.5, 0.25], "bias": 0.125}
    body = {"hidden_units": [unit], "output_bias": [1e6, -1e6]}
    edited = answered(cascor.http.patch("/v1/network/weights", json=body))
    assert edited == topology(cascor)
    assert edited["hidden_units"][1] == unit | {"activation": before["hidden_units"][1]["activation"]}
    assert (edited["output_weights"], edited["output_bias"]) == (before["output_weights"], [1e6, -1e6])
    assert predicted(cascor)["predictions"] == [0, 0, 0]
    assert predicted(cascor)["model"] == "the edited network"
    assert ask(cascor, "decision-boundary?resolution=5")["predictions"] == [[0] * 5] * 5


def test_a_unit_is_added_and_removed(cascor: Cascor) -> None:
    """With no weight to the outputs it changes nothing; removed it is as if it had not been."""
    grown(cascor)
    network, answers = topology(cascor), predicted(cascor)
    n_units = len(network["hidden_units"])
    unit = {"weights": [1.0] * (2 + n_units), "bias": 0.5, "activation": "gaussian", "output_weights": [0, 0]}
    added = tell(cascor, "network/hidden-units", unit, 201)
    assert [u["activation"] for u in added["hidden_units"]][-1] == "gaussian"
    assert cascor.status().monitor.current_hidden_units == n_units + 1
    assert predicted(cascor)["scores"] == answers["scores"]
    removed = answered(cascor.http.delete(f"/v1/network/hidden-units/{n_units}"))
    assert removed == network


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("PATCH", "weights", {"hidden_units": [{"id": 99, "bias": 1}]}, "hidden_units.0.id"),
        ("PATCH", "weights", {"hidden_units": [{"id": -1, "bias": 1}]}, "hidden_units.0.id"),
        ("PATCH", "weights", {"output_bias": [1, 2, 3]}, "output_bias"),
        ("PATCH", "weights", {"output_weights": [[1]]}, "output_weights"),
        ("PATCH", "weights", {"output_bias": ["a", 1]}, "output_bias.0"),
        ("PATCH", "weights", {"output_bias": [1e300, 1]}, "output_bias.0"),
        ("POST", "hidden-units", {"weights": [1], "output_weights": [1, 1]}, "weights"),
        ("POST", "hidden-units", {"weights": [1, 1, 1], "output_weights": [1, 1], "activation": "step"}, "activation"),
        ("POST", "hidden-units", {}, "weights"),
        ("DELETE", "hidden-units/-1", None, "idx"),
        ("DELETE", "hidden-units/first", None, "idx"),
    ],
)
def test_an_edit_that_cannot_be(cascor: Cascor, method: str, path: str, body: object, field: str) -> None:
    """The field is named, and the network stays as it was."""
    grown(cascor, max_hidden_units=1)
    before = topology(cascor)
    assert field in fields(cascor.http.request(method, f"/v1/network/{path}", json=body))
    assert topology(cascor) == before


def test_a_unit_that_is_not_there_is_not_removed(cascor: Cascor) -> None:
    """404, as of any other thing."""
    grown(cascor, max_hidden_units=1)
    assert fields(cascor.http.delete("/v1/network/hidden-units/1"), 404) == ["idx"]


def test_a_start_grows_on_from_the_edited_network(cascor: Cascor) -> None:
    """Its first epoch's loss is that of the edited network, whose hidden units stay as they were edited."""
    grown(cascor, max_hidden_units=3)
    answered(cascor.http.delete("/v1/network/hidden-units/2"))
    answered(cascor.http.patch("/v1/network/weights", json={"hidden_units": [{"id": 0, "bias": 0.75}]}))
    edited, expected = topology(cascor), loss(cascor)
    body = {"grow_on": True, "dataset": {"generator": "cmu_spirals"}, "params": {"seed": 1, "max_hidden_units": 4}}
    run_id = tell(cascor, "training/start", body)["run_id"]
    cascor.wait()
    assert topology(cascor)["hidden_units"][:2] == edited["hidden_units"]
    assert ask(cascor, "metrics/history?count=100000")[0]["train_loss"] == pytest.approx(expected, rel=1e-4)
    assert ask(cascor, f"runs/{run_id}")["origin"] == "grow_on"


def test_a_start_from_nothing_forgets_the_edit(cascor: Cascor) -> None:
    """Without grow_on it is the same run as ever."""
    grown(cascor)
    network = topology(cascor)
    answered(cascor.http.delete("/v1/network/hidden-units/0"))
    grown(cascor)
    assert topology(cascor) == network


def test_a_restore_undoes_an_edit(cascor: Cascor) -> None:
    """An edited snapshot is no longer to be resumed; restored again it is."""
    second = ids(cascor, grown(cascor))[1]
    tell(cascor, f"snapshots/{second}/restore")
    network = topology(cascor)
    tell(cascor, "training/resume")
    cascor.wait()
    tell(cascor, f"snapshots/{second}/restore")
    answered(cascor.http.delete("/v1/network/hidden-units/0"))
    assert cascor.status().state_machine.status == "STOPPED"
    refused(cascor.http.post("/v1/training/resume"), 409)
    tell(cascor, f"snapshots/{second}/restore")
    assert topology(cascor) == network
    assert cascor.status().state_machine.status == "RESUME_READY"


def test_parameters_of_a_network_that_nothing_trains_are_changed(cascor: Cascor) -> None:
    """Shown by everything that shows them, and taken by the next start."""
    grown(cascor, max_hidden_units=2)
    answered(cascor.http.patch("/v1/training/params", json={"max_hidden_units": 1}))
    assert cascor.status().params["max_hidden_units"] == 1
    assert ask(cascor, "training/params")["params"]["max_hidden_units"] == 1
    assert ask(cascor, "network")["max_hidden_units"] == 1
    tell(cascor, "training/start", {"dataset": {"generator": "cmu_spirals"}})
    assert cascor.wait().monitor.current_hidden_units == 1


def test_nothing_is_edited_while_it_trains(cascor: Cascor) -> None:
    """Nor while it is paused: the trainer has another copy."""
    cascor.start(seed=1, pace=500)
    cascor.wait_for_epoch(50)
    body = {"output_bias": [0, 0]}
    assert refused(cascor.http.patch("/v1/network/weights", json=body), 409).endswith("training is STARTED")
    tell(cascor, "training/pause")
    assert refused(cascor.http.patch("/v1/network/weights", json=body), 409).endswith("training is PAUSED")


def test_nothing_is_edited_where_there_is_nothing(cascor: Cascor) -> None:
    """It says what to do."""
    assert "create one" in refused(cascor.http.patch("/v1/network/weights", json={"output_bias": [0, 0]}), 404)


def test_an_untrained_network_is_edited(cascor: Cascor) -> None:
    """A network can be made by hand."""
    tell(cascor, "network", {}, 201)
    unit = {"weights": [1, 1], "output_weights": [2, -2]}
    assert len(tell(cascor, "network/hidden-units", unit, 201)["hidden_units"]) == 1
    assert ask(cascor, "network")["hidden_units"] == 1
    assert predicted(cascor)["predictions"] == [0, 1, 0]
