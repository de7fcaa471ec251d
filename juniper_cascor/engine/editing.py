"""A network with other weights, with one more hidden unit, or with one less: the network given stays as it is.

Weights come as people see them: without the bias, which stands beside them. A hidden unit's see the inputs, which enter
standardised, and then units; an output's see all of both.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from juniper_cascor.engine.errors import EditError
from juniper_cascor.engine.network import MAX_WEIGHT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from juniper_cascor.engine.activations import Activation
    from juniper_cascor.engine.network import Network

    Place = tuple[str | int, ...]

_MAX_OUTPUT_WEIGHT = float(
    np.finfo(np.float32).max
)  # a regression's are on the scale of its targets, which are float32


@dataclass(frozen=True, slots=True)
class HiddenUnitChange:
    """What one hidden unit's weights and bias become; None: what they were."""

    id: int  # its place among them
    weights: Sequence[float] | None = None  # as many as there were
    bias: float | None = None


def with_weights(
    network: Network,
    *,
    hidden_units: Sequence[HiddenUnitChange] = (),
    output_weights: Sequence[Sequence[float]] | None = None,
    output_bias: Sequence[float] | None = None,
) -> Network:
    """The network with these weights, which is of the same shape.

    Args:
        network: What they are taken from where they are left out.
        hidden_units: Changes of some of them.
        output_weights: [outputs][inputs + hidden units]
        output_bias: [outputs]

    Raises:
        EditError: naming the argument, and the place in it.
    """
    hidden = list(network.hidden_weights)
    changed: set[int] = set()
    for i, change in enumerate(hidden_units):
        place: Place = ("hidden_units", i)
        if not 0 <= change.id < len(hidden):
            raise EditError((*place, "id"), _no_such_unit(network, change.id))
        if change.id in changed:
            raise EditError((*place, "id"), f"hidden unit {change.id} is changed twice")
        changed.add(change.id)
        hidden[change.id] = _changed(hidden[change.id], change, place)
    outputs = network.output_weights.astype(np.float64)
    if output_weights is not None:
        _check_length(output_weights, network.n_outputs, "outputs", ("output_weights",))
        for o, weights in enumerate(output_weights):
            outputs[o, 1:] = _numbers(weights, outputs.shape[1] - 1, _MAX_OUTPUT_WEIGHT, ("output_weights", o))
    if output_bias is not None:
        outputs[:, 0] = _numbers(output_bias, network.n_outputs, _MAX_OUTPUT_WEIGHT, ("output_bias",))
    return replace(network, hidden_weights=tuple(hidden), output_weights=outputs)


def with_hidden_unit(
    network: Network, weights: Sequence[float], bias: float, activation: Activation, output_weights: Sequence[float]
) -> Network:
    """The network with one more hidden unit, after the others.

    Args:
        network: What it is added to.
        weights: [inputs + hidden units], of which it sees all.
        bias: Its own.
        activation: Its own.
        output_weights: [outputs], by which they see it.

    Raises:
        EditError: naming the argument, and the place in it.
    """
    seen = _numbers(weights, network.n_inputs + network.n_hidden_units, MAX_WEIGHT, ("weights",))
    column = _numbers(output_weights, network.n_outputs, _MAX_OUTPUT_WEIGHT, ("output_weights",))
    return replace(
        network,
        hidden_weights=(*network.hidden_weights, _frozen([_number(bias, ("bias",)), *seen])),
        activations=(*network.activations, activation),
        output_weights=np.column_stack([network.output_weights, column]),
    )


def without_hidden_unit(network: Network, index: int) -> Network:
    """The network without one hidden unit: who saw it loses the weight by which it did, all others stay as they are.

    Raises:
        EditError: there is no such unit; it names `index`.
    """
    if not 0 <= index < network.n_hidden_units:
        raise EditError(("index",), _no_such_unit(network, index))
    feature = 1 + network.n_inputs + index
    others = [i for i in range(network.n_hidden_units) if i != index]
    # A sibling that did not see the unit has no weight there.
    hidden = [network.hidden_weights[i] for i in others]
    return replace(
        network,
        hidden_weights=tuple(
            _frozen(np.delete(weights, feature)) if len(weights) > feature else weights for weights in hidden
        ),
        activations=tuple(network.activations[i] for i in others),
        output_weights=np.delete(network.output_weights, feature, axis=1),
    )


def _changed(old: NDArray[np.float32], change: HiddenUnitChange, place: Place) -> NDArray[np.float32]:
    new = old.copy()
    if change.weights is not None:
        new[1:] = _numbers(change.weights, len(old) - 1, MAX_WEIGHT, (*place, "weights"))
    if change.bias is not None:
        new[0] = _number(change.bias, (*place, "bias"))
    return _frozen(new)


def _frozen(weights: Sequence[float] | NDArray[np.float32]) -> NDArray[np.float32]:
    frozen = np.array(weights, np.float32)
    frozen.flags.writeable = False  # as an installed unit's are: networks share them
    return frozen


def _number(value: float, place: Place) -> float:
    if not abs(value) <= MAX_WEIGHT:
        raise EditError(place, _too_large(value, MAX_WEIGHT))
    return value


def _numbers(values: Sequence[float], length: int, most: float, place: Place) -> NDArray[np.float64]:
    _check_length(values, length, "weights", place)
    numbers = np.array(values, np.float64)
    is_wrong = ~(np.abs(numbers) <= most)
    if is_wrong.any():
        first = int(is_wrong.argmax())
        raise EditError((*place, first), _too_large(float(numbers[first]), most))
    return numbers


def _check_length(values: Sequence[object], length: int, what: str, place: Place) -> None:
    if len(values) != length:
        raise EditError(place, f"there must be {length} {what}, not {len(values)}")


def _too_large(value: float, most: float) -> str:
    return f"must be a number between −{most:g} and {most:g}, not {value:g}"


def _no_such_unit(network: Network, index: int) -> str:
    return f"there is no hidden unit {index}: the network has {network.n_hidden_units}, counted from 0"
