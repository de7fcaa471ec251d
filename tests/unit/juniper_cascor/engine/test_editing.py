"""Networks with other weights, one more hidden unit, or one less."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from juniper_cascor.engine.backend import BackendName
from juniper_cascor.engine.editing import HiddenUnitChange, with_hidden_unit, with_weights, without_hidden_unit
from juniper_cascor.engine.errors import EditError
from juniper_cascor.engine.network import Network
from juniper_cascor.engine.training import Training

from .data import FAST, assert_same_network, grown, noisy_points
from .tested import BACKENDS


def of(*numbers: float) -> NDArray[np.float32]:
    """A hidden unit's weights."""
    return np.array(numbers, np.float32)


NETWORK = Network(
    feature_mean=np.array([1.0, 2.0]),
    feature_scale=np.array([2.0, 4.0]),
    hidden_weights=(
        of(0.1, 0.2, 0.3),
        of(0.4, 0.5, 0.6, 0.7),
        of(0.8, 0.9, 1.0, 1.1),  # a sibling of unit 1, which it does not see
        of(1.2, 1.3, 1.4, 1.5, 1.6, 1.7),
    ),
    activations=("tanh", "sin", "gaussian", "sigmoid"),
    output_weights=np.array([[1.0, -1.0, 0.5, 2.0, -2.0, 3.0, -3.0], [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]]),
)
X = np.random.default_rng(0).normal(size=(20, 2))


def test_nothing_changed_is_the_same_network() -> None:
    """An edit that says nothing changes nothing."""
    assert_same_network(with_weights(NETWORK), NETWORK)


def test_weights_of_some_hidden_units() -> None:
    """Weights, the bias or both; what is left out, and the other units, stay."""
    changes = [HiddenUnitChange(1, [5, 6, 7]), HiddenUnitChange(0, bias=9), HiddenUnitChange(2, [1, 2, 3], 4)]
    edited = with_weights(NETWORK, hidden_units=changes)
    expected = [of(9, 0.2, 0.3), of(0.4, 5, 6, 7), of(4, 1, 2, 3), NETWORK.hidden_weights[3]]
    assert_same_network(edited, replace(NETWORK, hidden_weights=tuple(expected)))


def test_output_weights_and_biases() -> None:
    """Each of the two without the other."""
    rows = [[1, 2, 3, 4, 5, 6], [7, 8, 9, 10, 11, 12]]
    edited = with_weights(with_weights(NETWORK, output_weights=rows), output_bias=[20, 30])
    assert edited.output_weights.tolist() == [[20, *rows[0]], [30, *rows[1]]]
    assert with_weights(NETWORK, output_bias=[20, 30]).output_weights[:, 1:].tolist() == (
        NETWORK.output_weights[:, 1:].tolist()
    )


def test_one_more_hidden_unit() -> None:
    """It sees the inputs and all units before it, and the outputs see it."""
    edited = with_hidden_unit(NETWORK, [1, 2, 3, 4, 5, 6], 7, "gaussian", [8, 9])
    assert edited.hidden_weights[-1].tolist() == [7, 1, 2, 3, 4, 5, 6]
    assert edited.activations == (*NETWORK.activations, "gaussian")
    assert edited.output_weights[:, -1].tolist() == [8, 9]
    assert edited.output_weights[:, :-1].tolist() == NETWORK.output_weights.tolist()


def test_a_unit_taken_away_again_was_never_there() -> None:
    """Removing the newest unit undoes adding it."""
    added = with_hidden_unit(NETWORK, [1, 2, 3, 4, 5, 6], 7, "sin", [8, 9])
    removed = without_hidden_unit(added, 4)
    assert_same_network(removed, NETWORK)
    assert removed.activations == NETWORK.activations


@pytest.mark.parametrize(
    ("index", "hidden", "activations", "outputs"),
    [
        (0, [(0.4, 0.5, 0.6), (0.8, 0.9, 1.0), (1.2, 1.3, 1.4, 1.6, 1.7)], ("sin", "gaussian", "sigmoid"), [4, 5, 6]),
        (
            1,
            [(0.1, 0.2, 0.3), (0.8, 0.9, 1.0, 1.1), (1.2, 1.3, 1.4, 1.5, 1.7)],
            ("tanh", "gaussian", "sigmoid"),
            [3, 5, 6],
        ),
        (
            3,
            [(0.1, 0.2, 0.3), (0.4, 0.5, 0.6, 0.7), (0.8, 0.9, 1.0, 1.1)],
            ("tanh", "sin", "gaussian"),
            [3, 4, 5],
        ),
    ],
)
def test_one_hidden_unit_less(
    index: int, hidden: list[tuple[float, ...]], activations: tuple[str, ...], outputs: list[float]
) -> None:
    """Who saw it loses a weight; a sibling that did not, and the units before it, are untouched."""
    edited = without_hidden_unit(NETWORK, index)
    assert [weights.tolist() for weights in edited.hidden_weights] == [of(*weights).tolist() for weights in hidden]
    assert edited.activations == activations
    assert edited.output_weights[1].tolist() == [0, 1, 2, *outputs]
    assert Network.from_arrays(edited.arrays(), edited.task).n_hidden_units == 3


@pytest.mark.parametrize("index", [0, 1, 2, 3])
def test_a_unit_that_nobody_listens_to_is_not_missed(index: int) -> None:
    """Where all weights by which a unit is seen are 0, the network answers the same without it."""
    hidden = [weights.copy() for weights in NETWORK.hidden_weights]
    for weights in hidden:
        weights[3 + index : 4 + index] = 0
    outputs = NETWORK.output_weights.copy()
    outputs[:, 3 + index] = 0
    deaf = replace(NETWORK, hidden_weights=tuple(hidden), output_weights=outputs)
    np.testing.assert_allclose(without_hidden_unit(deaf, index).outputs(X), deaf.outputs(X), rtol=1e-12)


def test_the_network_that_was_edited_stays_as_it_is() -> None:
    """Whoever holds it sees no change; what was made cannot be written to either."""
    before = NETWORK.arrays()
    edited = with_weights(NETWORK, hidden_units=[HiddenUnitChange(0, bias=1)], output_bias=[1, 2])
    without_hidden_unit(with_hidden_unit(edited, [0] * 6, 0, "tanh", [1, 1]), 0)
    np.testing.assert_equal(NETWORK.arrays(), before)
    with pytest.raises(ValueError, match="read-only"):
        edited.hidden_weights[0][0] = 2


ROWS = [[0.0] * 6, [0.0] * 6]
NAN = float("nan")


@pytest.mark.parametrize(
    ("edit", "problem"),
    [
        (lambda: with_weights(NETWORK, hidden_units=[HiddenUnitChange(4)]), "hidden_units.0.id: there is no .* 4"),
        (lambda: with_weights(NETWORK, hidden_units=[HiddenUnitChange(-1)]), "hidden_units.0.id: there is no"),
        (lambda: with_weights(NETWORK, hidden_units=[HiddenUnitChange(1)] * 2), "hidden_units.1.id: .* twice"),
        (
            lambda: with_weights(NETWORK, hidden_units=[HiddenUnitChange(1, [1, 2])]),
            "hidden_units.0.weights: there must be 3 weights, not 2",
        ),
        (
            lambda: with_weights(NETWORK, hidden_units=[HiddenUnitChange(1, [1, NAN, 2])]),
            "hidden_units.0.weights.1: .* not nan",
        ),
        (lambda: with_weights(NETWORK, hidden_units=[HiddenUnitChange(1, bias=1e16)]), "hidden_units.0.bias"),
        (lambda: with_weights(NETWORK, output_weights=ROWS[:1]), "output_weights: there must be 2 outputs, not 1"),
        (lambda: with_weights(NETWORK, output_weights=[ROWS[0], [1.0]]), "output_weights.1: there must be 6 weights"),
        (lambda: with_weights(NETWORK, output_weights=[ROWS[0], [*[0.0] * 5, 1e39]]), "output_weights.1.5: .* 1e"),
        (lambda: with_weights(NETWORK, output_bias=[1.0]), "output_bias: there must be 2"),
        (lambda: with_hidden_unit(NETWORK, [1.0] * 5, 0, "tanh", [1, 1]), "weights: there must be 6 weights, not 5"),
        (lambda: with_hidden_unit(NETWORK, [-1e16] * 6, 0, "tanh", [1, 1]), "weights.0: must be a number between"),
        (lambda: with_hidden_unit(NETWORK, [1.0] * 6, NAN, "tanh", [1, 1]), "bias"),
        (lambda: with_hidden_unit(NETWORK, [1.0] * 6, 0, "tanh", [1]), "output_weights: there must be 2"),
        (lambda: without_hidden_unit(NETWORK, 4), "index: there is no hidden unit 4: the network has 4"),
        (lambda: without_hidden_unit(NETWORK, -1), "index: there is no"),
    ],
)
def test_what_makes_no_network_is_refused(edit: Callable[[], Network], problem: str) -> None:
    """The error names the argument, and the place in it."""
    with pytest.raises(EditError, match=problem):
        edit()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    "edit",
    [
        lambda network: without_hidden_unit(network, 1),
        lambda network: with_hidden_unit(network, [1] * 6, 1, "sin", [1, -1]),
        lambda network: with_weights(
            network, hidden_units=[HiddenUnitChange(0, [1, 2, 3], 1e15)], output_weights=[[1e38] * 6, [-1e38] * 6]
        ),
    ],
    ids=["one unit less", "one unit more", "absurd weights"],
)
def test_an_edited_network_is_grown_on(edit: Callable[[Network], Network], backend: BackendName) -> None:
    """Growth begins with its units as they are, restored on the way or not, and what it ends in is finite."""
    x, y = noisy_points(90)
    parameters = replace(FAST, candidate_placement="sibling-or-descendant", activation_function_name="tanh+sin")
    edited = edit(grown(Training.start(x, y, parameters, seed=1, backend=backend)).network)
    more = replace(parameters, max_hidden_units=6)
    training = grown(Training.start(x, y, more, seed=2, network=edited, backend=backend))
    restored = Training.start(x, y, more, seed=2, network=edited, backend=backend)
    while restored.finished is None:
        restored.advance(7)
        restored = Training.restore(x, y, more, restored.state())
    assert training.network.n_hidden_units > edited.n_hidden_units
    for old, new in zip(edited.hidden_weights, training.network.hidden_weights, strict=False):
        np.testing.assert_array_equal(old, new)
    assert np.isfinite(training.network.outputs(x)).all()
    assert_same_network(restored.network, training.network)
