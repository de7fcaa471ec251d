"""A network is arrays, and what they compute."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from juniper_cascor.engine.network import Network

CASCADE = Network(
    feature_mean=np.array([1.0, 2.0], np.float32),
    feature_scale=np.array([2.0, 4.0], np.float32),
    hidden_weights=(np.array([0.1, 0.2, 0.3], np.float32), np.array([0.4, 0.5, 0.6, 0.7], np.float32)),
    activations=("tanh", "tanh"),
    output_weights=np.array([[1.0, -1.0, 0.5, 2.0, -2.0]], np.float32),
)


def test_outputs_are_the_cascade_s() -> None:
    """Each unit sees the bias, the standardised inputs and the units before it."""
    a, b = (5.0 - 1.0) / 2.0, (4.0 - 2.0) / 4.0
    first = np.tanh(0.1 + 0.2 * a + 0.3 * b)
    second = np.tanh(0.4 + 0.5 * a + 0.6 * b + 0.7 * first)
    net = 1.0 - a + 0.5 * b + 2 * first - 2 * second
    assert CASCADE.outputs([[5.0, 4.0]])[0, 0] == pytest.approx(1 / (1 + np.exp(-net)), rel=1e-5)


def test_sizes() -> None:
    """A network knows how large it is."""
    assert (CASCADE.n_inputs, CASCADE.n_outputs, CASCADE.n_hidden_units) == (2, 1, 2)


def test_one_output_is_a_threshold() -> None:
    """With one output the class is 1 above a half."""
    outputs = CASCADE.outputs([[5.0, 4.0], [-5.0, 4.0]])[:, 0]
    assert CASCADE.predict([[5.0, 4.0], [-5.0, 4.0]]).tolist() == (outputs > 0.5).astype(int).tolist()


def test_several_outputs_are_an_arg_max() -> None:
    """With several outputs the class is the largest one's."""
    scale = np.ones(1, np.float32)
    network = Network(scale * 0, scale, (), (), np.array([[0, 0], [1, 1], [0.5, -3]], np.float32))
    assert network.predict([[1.0], [-1.0], [-2.0]]).tolist() == [1, 2, 2]


def test_regression_answers_in_values() -> None:
    """A regression's outputs are the weighted sums themselves."""
    scale = np.ones(1, np.float32)
    network = Network(scale * 0, scale, (), (), np.array([[10, 2]], np.float32), task="regression")
    assert network.predict([[1.0], [3.0]]).tolist() == [[12.0], [16.0]]


@pytest.mark.parametrize("x", [[1.0, 2.0], [[1.0, 2.0, 3.0]]])
def test_wrong_shape_is_refused(x: list[float]) -> None:
    """Patterns have the network's number of inputs."""
    with pytest.raises(ValueError, match=r"\[n, 2\]"):
        CASCADE.outputs(x)


def test_absurd_inputs_have_finite_outputs() -> None:
    """Whatever finite value is asked for, something finite is answered."""
    assert np.isfinite(CASCADE.outputs([[3e38, -3e38]])).all()


def test_an_answer_does_not_depend_on_the_company() -> None:
    """A pattern has the same outputs in every bit alone and among others, in a deep cascade of large weights too."""
    rng = np.random.default_rng(0)
    network = Network(
        feature_mean=np.zeros(3, np.float32),
        feature_scale=np.ones(3, np.float32),
        hidden_weights=tuple(rng.normal(0, 4, 4 + i).astype(np.float32) for i in range(40)),
        activations=("tanh",) * 40,
        output_weights=rng.normal(0, 4, (2, 44)).astype(np.float32),
        task="regression",
    )
    x = rng.normal(size=(10_000, 3)).astype(np.float32)
    some = rng.permutation(len(x))[:100]
    alone = np.vstack([network.outputs(x[i : i + 1]) for i in some])
    np.testing.assert_array_equal(network.outputs(x)[some], alone)


def test_nobody_asks_and_nothing_is_answered() -> None:
    """No patterns have no outputs."""
    assert CASCADE.outputs(np.empty((0, 2))).shape == (0, 1)


def test_arrays_make_the_network_again() -> None:
    """What goes into a file comes out of it."""
    again = Network.from_arrays(CASCADE.arrays(), "classification")
    np.testing.assert_equal(again.arrays(), CASCADE.arrays())


@pytest.mark.parametrize(
    ("name", "array", "problem"),
    [
        ("output_weights", CASCADE.output_weights, "must be float64 in 2 dimensions, not float32"),
        ("output_weights", np.zeros((0, 5)), "do not make one network"),
        ("output_weights", CASCADE.output_weights * np.float64(np.nan), "output_weights is not finite"),
        ("hidden_weights", np.full(7, np.inf, np.float32), "hidden_weights is not finite"),
        ("activations", np.array([-1, 0], np.int8), "must be uint8"),
        ("activations", np.array([4, 0], np.uint8), "do not make one network"),
        ("fan_ins", np.array([3, 4], np.float32), "must be int64"),
        ("fan_ins", np.array([4, 3]), "do not make one network"),
        ("feature_mean", np.float64(1), "must be float64 in 1 dimensions, not float64 in 0"),
        ("feature_scale", np.array([0, 1], np.float64), "feature_scale is not positive"),
        ("feature_scale", np.array([1, -1], np.float64), "feature_scale is not positive"),
        ("feature_scale", np.array([1, np.inf], np.float64), "feature_scale is not finite"),
    ],
)
def test_arrays_of_no_network_are_refused(name: str, array: NDArray[np.generic], problem: str) -> None:
    """Other types, sizes that do not fit, codes that name nothing, weights that no training ends in."""
    with pytest.raises(ValueError, match=problem):
        Network.from_arrays(CASCADE.arrays() | {name: array}, "classification")
