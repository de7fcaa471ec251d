"""What an epoch of the output layer takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.engine.work import Work
from juniper_cascor.engine.backend import OutputState
from juniper_cascor.engine.training_data import TrainingData

from .rates import ENDLESS
from .sample import Sample
from .sides import Side, attempt, made


@dataclass(frozen=True, slots=True)
class Layer:
    """An output layer without hidden units."""

    work: Work
    side: Side
    epoch_us: float | None  # None where it was not measured
    note: str = ""  # why not


def measure_layers(sizes: Sequence[Work], sides: Sequence[Side], sample: Sample) -> Iterator[Layer]:
    """Each size on each side."""
    for work in sizes:
        data = TrainingData(*work.arrays(), None, None, work.parameters(), None)
        for side in sides:
            epoch_us, note = attempt(_epoch_us, work, side, data, sample)
            yield Layer(work, side, epoch_us, note)


def _epoch_us(work: Work, side: Side, data: TrainingData, sample: Sample) -> float:
    parameters = work.parameters(output_epochs=ENDLESS, output_patience=ENDLESS)
    backend = made(side, work, data, parameters)
    weights = np.zeros((work.n_outputs, 1 + work.n_inputs), np.float32)
    state = OutputState.start(weights, parameters, ENDLESS)
    return 1e6 / sample.per_second(lambda: len(backend.train_outputs(state, None).rows))
