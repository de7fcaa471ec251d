"""Calls about the loaded network."""

from juniper_cascor.calls.asking import Ask, asked, told
from juniper_common.wire.editing import AddHiddenUnit, ChangeWeights
from juniper_common.wire.training import (
    CreateNetwork,
    NetworkStats,
    NetworkSummary,
    Topology,
)


def create_network(network: CreateNetwork | None = None) -> Ask[NetworkSummary]:
    """Load a network for the next run. Raises ConflictError while one is active."""
    return told("POST", "/v1/network", NetworkSummary, network or CreateNetwork())


def network(*, run_id: str | None = None) -> Ask[NetworkSummary]:
    """The loaded network. Raises NotFoundError."""
    return asked("/v1/network", NetworkSummary, run=run_id)


def delete_network() -> Ask[None]:
    """Unload the network. Raises NotFoundError, ConflictError."""
    return told("DELETE", "/v1/network", type(None))


def topology(*, run_id: str | None = None) -> Ask[Topology]:
    """Every unit and weight. Raises NotFoundError."""
    return asked("/v1/network/topology", Topology, run=run_id)


def stats(*, run_id: str | None = None) -> Ask[NetworkStats]:
    """Figures of the output weights. Raises NotFoundError."""
    return asked("/v1/network/stats", NetworkStats, run=run_id)


def change_weights(change: ChangeWeights) -> Ask[Topology]:
    """Set weights of the loaded network, which nothing trains. Raises NotFoundError, ConflictError."""
    return told("PATCH", "/v1/network/weights", Topology, change)


def add_hidden_unit(unit: AddHiddenUnit) -> Ask[Topology]:
    """Add a hidden unit to the loaded network. Raises as `change_weights`."""
    return told("POST", "/v1/network/hidden-units", Topology, unit)


def remove_hidden_unit(index: int) -> Ask[Topology]:
    """Remove a hidden unit of the loaded network; those after it move up. Raises as `change_weights`."""
    # Sent twice, it would remove two.
    return told("DELETE", f"/v1/network/hidden-units/{index}", Topology, idempotent=False)
