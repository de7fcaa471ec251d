"""What is shown of a grown network: its topology, figures of its weights, and its decision boundary."""

import numpy as np
from numpy.typing import NDArray

from juniper_cascor.engine.network import Network
from juniper_cascor.runs.dataset_file import Matrix
from juniper_common.errors import UnprocessableError
from juniper_common.wire.errors import FieldProblem
from juniper_common.wire.training import DecisionBoundary, HiddenUnit, NetworkStats, Topology

PIECE_VALUES = 1 << 21

MARGIN = 0.08
"""The boundary is shown beyond the data by this share of its range."""


def topology(network: Network) -> Topology:
    """The network's units and weights; inputs enter standardised, as the engine sees them."""
    return Topology(
        input_size=network.n_inputs,
        output_size=network.n_outputs,
        hidden_units=[
            HiddenUnit(id=index, weights=weights[1:].tolist(), bias=float(weights[0]), activation=activation)
            for index, (weights, activation) in enumerate(zip(network.hidden_weights, network.activations, strict=True))
        ],
        output_weights=network.output_weights[:, 1:].tolist(),
        output_bias=network.output_weights[:, 0].tolist(),
    )


def stats(network: Network) -> NetworkStats:
    """Figures of the output weights, without the biases."""
    weights = network.output_weights[:, 1:]
    return NetworkStats(
        total_hidden_units=network.n_hidden_units,
        output_weight_mean=float(weights.mean()),
        output_weight_std=float(weights.std()),
        output_weight_min=float(weights.min()),
        output_weight_max=float(weights.max()),
    )


def decision_boundary(
    network: Network, x: Matrix, resolution: int, features: tuple[int, int], run_id: str | None
) -> DecisionBoundary:
    """What the network answers on a grid over two features of the data; the others are held at their means.

    Args:
        network: what answers.
        x: [n, inputs], the data that says where to look.
        resolution: points along each side of the grid.
        features: the columns of x along the grid's x and y.
        run_id: the run that the network belongs to.

    Raises:
        UnprocessableError: the network has no such inputs.
    """
    check_features(features, network.n_inputs)
    held = x.mean(axis=0, dtype=np.float64)  # in float32 the sum of large values overflows
    x_range, y_range = (_range(x[:, feature]) for feature in features)
    grid_x, grid_y = np.meshgrid(np.linspace(*x_range, resolution), np.linspace(*y_range, resolution))
    # In pieces: the whole grid over thousands of inputs would take gigabytes.
    piece = max(1, PIECE_VALUES // (x.shape[1] + network.n_hidden_units))
    places = np.column_stack([grid_x.ravel(), grid_y.ravel()]).astype(np.float32)
    answers = np.concatenate(
        [_answers(network, held, features, places[i : i + piece]) for i in range(0, len(places), piece)]
    )
    if answers.ndim == 2:
        answers = answers[:, 0]
    return DecisionBoundary.model_construct(
        x_range=x_range,
        y_range=y_range,
        resolution=resolution,
        grid_x=grid_x.tolist(),
        grid_y=grid_y.tolist(),
        predictions=answers.reshape(grid_x.shape).tolist(),
        features=features,
        held_at=held.tolist(),
        run_id=run_id,
        hidden_units=network.n_hidden_units,
    )


def check_features(features: tuple[int | None, int | None], n_inputs: int) -> None:
    """Raises UnprocessableError naming the one that is none of the inputs."""
    for name, feature in zip(("x_feature", "y_feature"), features, strict=True):
        if feature is not None and feature >= n_inputs:
            problem = f"the network has {n_inputs} inputs"
            raise UnprocessableError(f"{name}: {problem}", (FieldProblem(loc=[name], msg=problem),))


def _answers(
    network: Network, held: NDArray[np.float64], features: tuple[int, int], places: Matrix
) -> NDArray[np.int64] | NDArray[np.float64]:
    rows = np.repeat(held[np.newaxis].astype(np.float32), len(places), axis=0)
    rows[:, features] = places
    return network.predict(rows)


def _range(column: Matrix) -> tuple[float, float]:
    low, high = float(column.min()), float(column.max())
    margin = (high - low) * MARGIN or 1.0
    return low - margin, high + margin
