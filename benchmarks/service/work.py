"""What the service is asked to train on, and the engine alone too. Rows go in requests: no other service."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np

from benchmarks.engine.sets import SOURCES, Floats, cmu_spirals
from juniper_cascor.engine.parameters import Parameters
from juniper_common.wire.training import InlineData, RunParameters, StartTraining

SEED = 1

_NEVER = 1e-6  # nearer to each target no network comes, so that none is solved
_DIGITS = 4  # of each number: more would not go into a request of 10 MB


@dataclass(frozen=True, eq=False)
class Work:
    """Patterns, and the parameters in which a run differs from the engine's defaults."""

    name: str
    x: Floats  # [n, inputs]
    y: Floats  # [n, outputs]
    parameters: Parameters = field(default_factory=Parameters)

    def request(self, pace: float | None = None) -> StartTraining:
        """For the service."""
        mine = self.parameters
        params = RunParameters(
            seed=SEED,
            pace=pace,
            max_hidden_units=mine.max_hidden_units,
            max_epochs=mine.max_epochs,
            error_threshold=mine.error_threshold,
        )
        rows = InlineData(train_x=self.x.astype(float).round(_DIGITS).tolist(), train_y=self.y.tolist())
        return StartTraining(inline_data=rows, params=params, start_fresh=True)


@cache
def digits() -> Work:
    """scikit-learn's digits, all of them, until they are learnt: a training of some hundredths of a second."""
    x, labels = _all_of("digits")
    return Work("digits", x, np.eye(10, dtype=np.float32)[labels])


def digits_grown(units: int) -> Work:
    """The same, but grown to so many hidden units though fewer have learnt them."""
    parameters = Parameters(max_hidden_units=units, error_threshold=_NEVER)
    return replace(digits(), name=f"digits, {units} units", parameters=parameters)


@cache
def large(max_epochs: int | None = None) -> Work:
    """10,000 patterns of 64 inputs, four classes with noise, at which a trainer is kept busy for as many epochs."""
    x, labels = _all_of("10k × 64")
    y = np.eye(4, dtype=np.float32)[labels]
    parameters = Parameters(max_hidden_units=1_000, max_epochs=max_epochs, error_threshold=_NEVER)
    return Work("10,000 × 64", x[:10_000].round(_DIGITS), y[:10_000], parameters)


@cache
def spirals() -> Work:
    """The two spirals of CMU: an epoch is microseconds."""
    train = cmu_spirals(0).train
    return Work("CMU spirals", train.x.round(_DIGITS), train.targets(2))


def _all_of(name: str) -> tuple[Floats, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    (source,) = (source for source in SOURCES if source.name == name)
    data = source.make(SEED)
    parts = [data.train, *([data.test] if data.test else [])]
    return np.concatenate([part.x for part in parts]), np.concatenate([part.labels for part in parts])
