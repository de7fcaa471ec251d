"""A recorded run, trained once more by the engine alone: no service, no trainer, no break."""

from pathlib import Path

from juniper_cascor.engine.backend import BACKENDS
from juniper_cascor.engine.training import Training
from juniper_cascor.runs import dataset_file, network_spec, views
from juniper_common.wire.runs import RunChange, RunDetail
from juniper_common.wire.training import Topology


def repeated(record: RunDetail, datasets: Path) -> tuple[str | None, int, Topology]:
    """What a run comes to by its record alone: outcome, epochs and network."""
    data = dataset_file.read(datasets / f"{record.dataset_checksum}.npz")
    (backend,) = (name for name in BACKENDS if name == record.backend)
    parameters = network_spec.from_json(record.params)
    training = Training.start(
        data.x, data.y, parameters, seed=record.seed, x_val=data.x_val, y_val=data.y_val, backend=backend
    )
    changes = list(record.changes)
    while training.finished is None:
        while changes and changes[0].epoch == training.epoch:
            _apply(training, changes.pop(0), datasets)
        training.advance(changes[0].epoch - training.epoch if changes else None)
    return training.finished, training.epoch, views.topology(training.network)


def _apply(training: Training, change: RunChange, datasets: Path) -> None:
    training.set_parameters(network_spec.replaced(training.parameters, change.params))
    if change.dataset_checksum is not None:
        data = dataset_file.read(datasets / f"{change.dataset_checksum}.npz")
        training.set_data(data.x, data.y, x_val=data.x_val, y_val=data.y_val)
