"""How a network that nothing trains is edited: the weights are those that a `Topology` shows."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ChangeHiddenUnit(_Request):
    """One hidden unit's new weights, as many as it has, and its new bias; what is left out stays."""

    id: int
    weights: list[FiniteFloat] | None = None
    bias: FiniteFloat | None = None


class ChangeWeights(_Request):
    """The body of `PATCH /v1/network/weights`; what is left out stays."""

    hidden_units: list[ChangeHiddenUnit] = []
    output_weights: list[list[FiniteFloat]] | None = Field(
        default=None, description="One row per output: inputs first, then hidden units."
    )
    output_bias: list[FiniteFloat] | None = Field(default=None, description="One per output.")


class AddHiddenUnit(_Request):
    """The body of `POST /v1/network/hidden-units`."""

    weights: list[FiniteFloat] = Field(description="One per input, then one per hidden unit that there is.")
    bias: FiniteFloat = 0.0
    activation: Literal["tanh", "sigmoid", "gaussian", "sin"] = "tanh"
    output_weights: list[FiniteFloat] = Field(description="One per output.")
