"""Predictions as JSON: written in pieces, read by the model."""

from dataclasses import replace

import numpy as np
import pytest

from juniper_cascor.api.prediction_json import PIECE_VALUES, prediction_json
from juniper_cascor.engine.network import Network
from juniper_common.wire.envelope import Success
from juniper_common.wire.models import AnsweredBy, Label, Prediction

TWO = Network(np.zeros(1), np.ones(1), (), (), np.array([[0.0, 1.0]]))
THREE = replace(TWO, output_weights=np.array([[0, 0], [1, 1], [0.5, -3]]))
X = np.array([[1.0], [-1.0], [-2.0]])


def written(network: Network, x: np.ndarray, labels: list[Label] | None = None) -> Prediction:
    """What a caller reads."""
    by = AnsweredBy(task=network.task, hidden_units=0, model="flowers/1")
    answer = Success[Prediction].model_validate_json(prediction_json(by, network, labels, network.outputs(x)))
    assert (answer.status, answer.data.model, answer.data.task) == ("success", "flowers/1", network.task)
    return answer.data


@pytest.mark.parametrize("network", [TWO, THREE])
def test_classes_without_labels_are_indices(network: Network) -> None:
    """One output unit tells two classes apart, several have one each."""
    answer = written(network, X)
    assert answer.predictions == answer.class_indices == network.predict(X).tolist()
    assert answer.scores == network.outputs(X).tolist()


@pytest.mark.parametrize("labels", [["no", 'ja "so"', "é\n"], [3, 1, 10**30], [0.5, -1.5, 2.5]])
def test_classes_go_by_their_labels(labels: list[Label]) -> None:
    """Whatever they are; their indices stand beside them."""
    answer = written(THREE, X, labels)
    assert answer.class_indices == [1, 2, 2]
    assert answer.predictions == [labels[1], labels[2], labels[2]]


def test_labels_may_be_truths() -> None:
    """Booleans stay booleans."""
    assert [type(label) for label in written(TWO, X, [False, True]).predictions] == [bool] * 3


def test_a_regression_has_values() -> None:
    """One for each row, or a list of them where the network has several outputs."""
    one, several = replace(TWO, task="regression"), replace(THREE, task="regression")
    assert written(one, X).predictions == [1, -1, -2]
    assert written(several, X).predictions == several.outputs(X).tolist()
    assert written(one, X).class_indices is None


def test_large_answers_are_whole() -> None:
    """Pieces join without a seam."""
    x = np.linspace(-4, 4, 2 * PIECE_VALUES + 5)[:, np.newaxis]
    answer = written(THREE, x, ["a", "b", "c"])
    assert answer.scores == THREE.outputs(x).tolist()
    assert answer.class_indices == THREE.predict(x).tolist()
    assert answer.predictions == [["a", "b", "c"][i] for i in THREE.predict(x)]
