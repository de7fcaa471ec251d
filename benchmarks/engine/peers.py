"""Who is measured: the engine with its presets, FANN's cascade, scikit-learn's network and gradient boosting.

All take the same patterns. The engine standardises them itself, as the pipeline around MLPClassifier does. FANN gets
them as they are, but for the sets with noise, where it does far better on standardised ones.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from juniper_cascor.engine.parameters import Parameters

from . import fann
from .growing import grow
from .sets import VALIDATION_SHARE, Dataset, Floats

WIN_DISTANCE = 0.4  # every output of every training pattern is nearer to its target: Fahlman & Lebiere 1990
VALIDATION_PATIENCE = 8  # installed units


@dataclass(frozen=True, slots=True)
class Result:
    """What one training came to."""

    has_solved: bool
    cpu_s: float  # of the training alone, over all threads
    units: int | None = None
    epochs: int | None = None
    test_accuracy: float | None = None


class Peer(Protocol):
    """Something that can be trained."""

    @property
    def name(self) -> str:
        """What the report calls it."""

    def train(self, data: Dataset, seed: int) -> Result:
        """Train once; the seed determines the result."""


@dataclass(frozen=True, slots=True)
class Juniper:
    """The engine. On sets with noise, validation patterns choose the size."""

    name: str
    parameters: Parameters = field(default_factory=Parameters)
    one_hot: bool = False

    def train(self, data: Dataset, seed: int) -> Result:
        """Train once, on one thread."""
        parameters, patterns, validation = self.parameters, data.train, None
        if data.has_noise:
            parameters = replace(parameters, validation_patience=VALIDATION_PATIENCE)
            patterns, held = data.held_out(seed)
            validation = held.x, held.targets(data.n_classes, one_hot=self.one_hot)
        y = patterns.targets(data.n_classes, one_hot=self.one_hot)
        grown = grow(patterns.x, y, parameters, seed=seed, validation=validation)
        training, network = grown.training, grown.training.network
        return Result(
            has_solved=training.finished == "solved",
            cpu_s=grown.total_s,
            units=network.n_hidden_units,
            epochs=training.epoch,
            test_accuracy=_accuracy(network.predict, data),
        )


@dataclass(frozen=True, slots=True)
class Fann:
    """FANN's cascade. It knows no validation: it grows until all patterns are learnt, or to its most units."""

    name: str
    cascade: fann.Cascade

    def train(self, data: Dataset, seed: int) -> Result:
        """Train once."""
        x, y = data.train.x, data.train.targets(data.n_classes)
        asked = x[:0] if data.test is None else data.test.x
        if data.has_noise:
            scaler = StandardScaler().fit(x)
            x, asked = scaler.transform(x), scaler.transform(asked)
        trained = fann.train(x, y, self.cascade, seed=seed, asked=asked)
        chosen = trained.outputs.argmax(axis=1) if data.n_classes > 2 else trained.outputs[:, 0] > 0.5
        return Result(
            has_solved=trained.has_solved,
            cpu_s=trained.cpu_s,
            units=trained.units,
            epochs=trained.epochs,
            test_accuracy=_accuracy(lambda _: chosen, data),
        )


@dataclass(frozen=True, slots=True)
class Sklearn:
    """An estimator of scikit-learn. On sets with noise it holds out as many patterns as the engine, by itself."""

    name: str
    make: Callable[[Dataset, int], Any]  # of a seed

    def train(self, data: Dataset, seed: int) -> Result:
        """Train once, on one thread."""
        estimator = self.make(data, seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # what has not converged has not solved
            began = time.process_time()
            estimator.fit(data.train.x, data.train.labels)
            cpu_s = time.process_time() - began
        errors = np.abs(estimator.predict_proba(data.train.x) - data.train.targets(data.n_classes, one_hot=True))
        return Result(
            has_solved=bool(errors.max() < WIN_DISTANCE),
            cpu_s=cpu_s,
            test_accuracy=_accuracy(estimator.predict, data),
        )


def _mlp(data: Dataset, seed: int) -> Any:
    """One layer of 100 units, its default, and more epochs and patience than that, for the spirals need them."""
    network = MLPClassifier(
        max_iter=2000,
        n_iter_no_change=10 if data.has_noise else 100,
        early_stopping=data.has_noise,
        validation_fraction=VALIDATION_SHARE,
        random_state=seed,
    )
    return make_pipeline(StandardScaler(), network)


def _boosting(data: Dataset, seed: int) -> Any:
    """Histograms where there are patterns enough for them, exact splits else."""
    if len(data.train.x) >= 1000:
        return HistGradientBoostingClassifier(
            early_stopping=data.has_noise, validation_fraction=VALIDATION_SHARE, random_state=seed
        )
    patience = 10 if data.has_noise else None
    return GradientBoostingClassifier(
        n_iter_no_change=patience, validation_fraction=VALIDATION_SHARE, random_state=seed
    )


def _accuracy(predict: Callable[[Floats], NDArray[Any]], data: Dataset) -> float | None:
    return None if data.test is None else float((predict(data.test.x) == data.test.labels).mean())


DEFAULT = Juniper("Juniper, default")
ONE_HOT = Juniper("Juniper, default, an output a class", one_hot=True)
QUALITY = Juniper("Juniper, quality", Parameters.preset("quality"))
COMPACT = Juniper("Juniper, compact", Parameters.preset("compact"))
GAUSSIAN = Juniper("Juniper, gaussian candidates", Parameters(activation_function_name="gaussian"))
RIDGE = Juniper("Juniper, output ridge 1e-4", Parameters(output_ridge=1e-4))
FANN_8 = Fann("FANN, 8 sigmoid candidates", fann.Cascade(fann.SIGMOID_SYMMETRIC, WIN_DISTANCE))
FANN_80 = Fann("FANN, its own 80 candidates", fann.Cascade(None, WIN_DISTANCE))
MLP = Sklearn("MLPClassifier", _mlp)
BOOSTING = Sklearn("gradient boosting", _boosting)
