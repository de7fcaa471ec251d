"""The network that the next run will grow: its shape and parameters, as they were asked for."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from pydantic import JsonValue

from juniper_cascor.engine.errors import ParameterError
from juniper_cascor.engine.network import Network
from juniper_cascor.engine.parameters import Parameters, parameter_fields
from juniper_common.errors import UnprocessableError
from juniper_common.wire.errors import FieldProblem
from juniper_common.wire.training import ChangeParameters, EngineParameters, NetworkSummary

_ALIASES = {"epochs_max": "max_epochs"}
_WORDS = ("optimizer_type", "candidate_optimizer_type", "activation_function_name")
_NOT_THE_ENGINES = {"seed", "pace", "input_size", "output_size", "init_output_weights"}

_STARVING = {
    "candidate_epochs": (100, "candidates hardly turn towards the residual error in fewer than 100 epochs"),
    "output_epochs": (50, "the output layer does not settle in fewer than 50 epochs"),
    "max_hidden_units": (12, "the two spirals take 12 hidden units and more"),
    "candidate_pool_size": (4, "the best of fewer than 4 candidates is often a poor one"),
}


@dataclass(frozen=True)
class NetworkSpec:
    """A network before its training."""

    n_inputs: int
    n_outputs: int
    parameters: Parameters
    uuid: str = field(default_factory=lambda: str(uuid.uuid4()))

    def warnings(self) -> list[str]:
        """What is known to starve training."""
        return [
            f"{name} is {getattr(self.parameters, name)}: {why}"
            for name, (least, why) in _STARVING.items()
            if getattr(self.parameters, name) < least
        ]

    def summary(self, network: Network) -> NetworkSummary:
        """It and what has grown of it, in a few words."""
        return NetworkSummary(
            input_size=self.n_inputs,
            output_size=self.n_outputs,
            hidden_units=network.n_hidden_units,
            max_hidden_units=self.parameters.max_hidden_units,
            learning_rate=self.parameters.rate("output"),
            uuid=self.uuid,
            warnings=self.warnings(),
        )

    def untrained(self) -> Network:
        """The network before its first epoch: no hidden unit, every output weight 0."""
        return Network(
            feature_mean=np.zeros(self.n_inputs, np.float32),
            feature_scale=np.ones(self.n_inputs, np.float32),
            hidden_weights=(),
            output_weights=np.zeros((self.n_outputs, 1 + self.n_inputs), np.float32),
            task=self.parameters.task,
            activations=(),
        )


def changed(
    parameters: Parameters, request: EngineParameters | ChangeParameters, where: tuple[str, ...] = ()
) -> Parameters:
    """The parameters with those of the request in place. Raises UnprocessableError naming the field."""
    given = request.model_dump(exclude_unset=True, exclude=_NOT_THE_ENGINES)
    if (preset := given.pop("preset", None)) is not None:
        parameters = Parameters.preset(preset)
    # The published clients write Adam where this engine says adam.
    given |= {name: value.lower() for name in _WORDS if isinstance(value := given.get(name), str)}
    # A null keeps the default, but where null is itself a value: no budget, the optimiser's own rate.
    values = {
        _ALIASES.get(name, name): value for name, value in given.items() if value is not None or name in _OPTIONAL
    }
    try:
        return replace(parameters, **values)
    except ParameterError as error:
        raise UnprocessableError(str(error), (FieldProblem(loc=[*where, error.field], msg=error.message),)) from error


_OPTIONAL = frozenset(name for name, known in parameter_fields().items() if known.is_optional) | {"epochs_max"}


def as_json(parameters: Parameters) -> dict[str, JsonValue]:
    """Every parameter by its name."""
    return parameters.as_dict()


def from_json(values: Mapping[str, JsonValue]) -> Parameters:
    """The reverse of `as_json`. Raises ParameterError, TypeError."""
    return Parameters(**values)  # type: ignore[arg-type] # it validates itself


def replaced(parameters: Parameters, values: Mapping[str, JsonValue]) -> Parameters:
    """The parameters with these in place. Raises ParameterError, TypeError."""
    return replace(parameters, **values)  # type: ignore[arg-type] # it validates itself
