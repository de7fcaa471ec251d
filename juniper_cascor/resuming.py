"""Takes up a training from its snapshot: it ends in the network that it would have ended in without the break."""

import logging

from numpy.typing import ArrayLike

from juniper_cascor import versions
from juniper_cascor.engine.backend import BackendName
from juniper_cascor.engine.errors import ParameterError
from juniper_cascor.engine.parameters import Parameters
from juniper_cascor.engine.training import Training
from juniper_cascor.snapshots import Card, Snapshot, SnapshotError

log = logging.getLogger(__name__)


def resume(
    snapshot: Snapshot,
    x: ArrayLike,
    y: ArrayLike,
    *,
    x_val: ArrayLike | None = None,
    y_val: ArrayLike | None = None,
    threads: int | None = None,
    backend: BackendName | None = None,
) -> Training:
    """The training of a snapshot, on the data and with the back end that it was made on, or another one.

    On another back end, other versions or another processor than the snapshot's it goes on too, but may end in
    another network; then a warning names what differs.

    Raises:
        SnapshotError: it holds no state to resume from, or parameters that this version does not have.
        DataError: as `Training.start`.
        StateError: the data is not the snapshot's, or the state is another version's.
    """
    card = snapshot.card
    if not snapshot.state:
        why = f"format {card.format} kept one that no engine reads any more" if card.format == 1 else "none was kept"
        raise SnapshotError(f"there is no state to resume from ({why}); its network can be grown on from")
    try:
        parameters = Parameters(**card.parameters)  # type: ignore[arg-type] # it validates itself
    except (TypeError, ParameterError) as error:
        raise SnapshotError(f"its training cannot be resumed by this version: {error}") from error
    if found := differences(card):
        log.warning("resuming where not all is as it was, so the network may differ: %s", "; ".join(found))
    return Training.restore(
        x, y, parameters, snapshot.state, x_val=x_val, y_val=y_val, threads=threads, backend=backend
    )


def differences(card: Card) -> list[str]:
    """What is not here as it was where the snapshot was made: where this is empty, resuming is exact."""
    now = versions.here(card.backend)
    return [f"{name} was {was}, is {now.get(name)}" for name, was in card.versions.items() if now.get(name) != was]
