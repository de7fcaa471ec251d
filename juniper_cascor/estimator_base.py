"""What the scikit-learn estimators share: checks of what they are given, held-out patterns, the training itself."""

from __future__ import annotations

import os
import warnings
from abc import abstractmethod
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Self, get_args

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import check_consistent_length, check_is_fitted, validate_data

from juniper_cascor import estimator_snapshot, input_checks, snapshots
from juniper_cascor.curves import Curves
from juniper_cascor.engine import backends
from juniper_cascor.engine.errors import DataError, DeviceError, ParameterError
from juniper_cascor.engine.parameters import Parameters, Preset, parameter_fields
from juniper_cascor.engine.training import Training
from juniper_cascor.growing import grow
from juniper_cascor.progress_bar import progress_bar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    from juniper_cascor.engine.backend import BackendName
    from juniper_cascor.engine.network import Network
    from juniper_cascor.engine.parameters import Task
    from juniper_cascor.growing import Ending, Growth
    from juniper_cascor.plain_hdf5 import Arrays
    from juniper_cascor.snapshots import Card
    from juniper_cascor.torch_module import CascadeModule

HELD_OUT_PATIENCE = 5
"""validation_patience where patterns are held out, and neither the caller nor the preset says one."""

ENGINE_PARAMETERS = tuple(name for name in parameter_fields() if name not in ("task", "class_weights"))
"""What the estimators have under the engine's names."""


class Patterns(NamedTuple):
    """Checked inputs, and targets as the engine takes them."""

    x: NDArray[Any]  # [n, features]
    y: NDArray[Any]  # [n, outputs]


class CascadeCorrelation(BaseEstimator):  # type: ignore[misc] # scikit-learn has no types
    """A network that `fit` grows; a subclass knows what its targets are."""

    task: ClassVar[Task]

    _target_dimensions: Literal[1, 2] = 1  # of y, and so of what is predicted

    preset: Preset
    validation_fraction: float | None
    random_state: int | np.random.RandomState | None
    n_jobs: int | None
    verbose: int

    n_features_in_: int
    n_outputs_: int
    network_: Network
    parameters_: Parameters
    seed_: int
    backend_: str
    outcome_: Ending | None
    n_iter_: int
    n_hidden_units_: int
    metrics_: Arrays
    loss_curve_: list[float]
    validation_loss_curve_: list[float] | None
    installed_at_: list[int]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Keep what was grown in a file (docs/snapshot-format.md): written atomically, sealed, nothing pickled.

        Raises:
            OSError: the disk does not take it.
            TypeError: the labels are of a type that the file does not have: neither strings, numbers nor booleans.
            ValueError: a label, or the name of a column, is a text that the file cannot hold.
        """
        check_is_fitted(self)
        snapshots.write(Path(path), estimator_snapshot.snapshot_of(self))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """The fitted estimator in a file that `save`, the command line or the training service wrote.

        Raises:
            SnapshotError: it is no such file, it is damaged, or it is the other estimator's.
        """
        return estimator_snapshot.estimator_of(cls, snapshots.read(Path(path)))

    def to_torch(self) -> CascadeModule:
        """The network as a `torch.nn.Module`: float32 [n, features] to what the output units say, [n, outputs].

        Raises:
            ImportError: torch is not installed; the extra `gpu` brings it.
        """
        check_is_fitted(self)
        # torch only now: it takes seconds to load, and need not be there.
        from juniper_cascor.torch_module import CascadeModule

        return CascadeModule(self.network_)

    def become(self, growth: Growth, parameters: Parameters, seed: int) -> None:
        """Set what a fitted estimator has of its network and its training."""
        self.parameters_, self.seed_, self.backend_ = parameters, seed, growth.backend
        self.network_, self.outcome_, self.n_iter_ = growth.network, growth.ending, growth.epochs
        self.n_hidden_units_, self.n_outputs_ = growth.network.n_hidden_units, growth.network.n_outputs
        self.metrics_ = growth.metrics
        curves = Curves.of(growth.metrics)
        self.loss_curve_, self.installed_at_ = curves.loss.tolist(), curves.installed_at.tolist()
        self.validation_loss_curve_ = curves.val_loss.tolist() if curves.has_validation else None

    @abstractmethod
    def become_labelled(self, card: Card) -> None:
        """Set what a fitted estimator has of its targets, when it comes from a file.

        Raises:
            ValueError, OverflowError: there are no such labels, or other weights than classes.
        """

    def _grow(self, patterns: Patterns, held: Patterns | None, changes: Mapping[str, object]) -> None:
        """Train on checked patterns; on the CPU from the beginning where the GPU that was chosen gives up."""
        seed = self._seed()
        if held is None and self.validation_fraction is not None:
            patterns, held = self._split(patterns, seed)
        parameters = self._parameters(changes, is_held_out=held is not None)
        x_val, y_val = held or (None, None)
        threads = self._threads()

        def grown(backend: BackendName | None) -> Growth:
            training = Training.start(
                patterns.x,
                patterns.y,
                parameters,
                seed=seed,
                x_val=x_val,
                y_val=y_val,
                backend=backend,
                threads=threads,
            )
            with progress_bar(parameters, is_shown=bool(self.verbose)) as watch:
                return grow(training, watch)

        try:
            growth = grown(None)
        except DeviceError as error:
            n_patterns, n_inputs = patterns.x.shape
            backend = backends.on_cpu(n_patterns, n_inputs, parameters.candidate_pool_size, parameters.max_hidden_units)
            warnings.warn(f"{error}; so it is trained anew with {backend}.", RuntimeWarning, stacklevel=3)
            growth = grown(backend)
        self.become(growth, parameters, seed)
        if growth.ending == "interrupted":
            kept = f"what was grown is kept: {self.n_hidden_units_} hidden units"
            warnings.warn(f"Training interrupted by user; {kept}.", ConvergenceWarning, stacklevel=3)

    def _parameters(self, changes: Mapping[str, object], *, is_held_out: bool) -> Parameters:
        given = dict(changes)
        for name in ENGINE_PARAMETERS:
            value = getattr(self, name)
            # A search over a range of numpy's sets numpy's numbers.
            given[name] = value.item() if isinstance(value, np.generic) else value
        given = {name: value for name, value in given.items() if value is not None}
        if not isinstance(self.preset, str):  # the engine looks it up
            raise ParameterError("preset", f"must be one of {', '.join(get_args(Preset))}, not {self.preset!r}")
        parameters = Parameters.preset(self.preset, **given, task=self.task)
        if is_held_out and parameters.validation_patience is None:
            return replace(parameters, validation_patience=HELD_OUT_PATIENCE)
        return parameters

    def _seed(self) -> int:
        if isinstance(self.random_state, int | np.integer):
            return int(self.random_state)
        return int(check_random_state(self.random_state).randint(2**31 - 1))

    def _threads(self) -> int | None:
        """As scikit-learn counts: −1 is one for each processor, −2 one less."""
        count: object = self.n_jobs
        if count is None:
            return None
        if isinstance(count, bool) or not isinstance(count, int | np.integer) or count == 0:
            raise ParameterError("n_jobs", f"must be None or a whole number that is not 0, not {count!r}")
        return int(count) if count > 0 else max(1, len(os.sched_getaffinity(0)) + 1 + int(count))

    def _split(self, patterns: Patterns, seed: int) -> tuple[Patterns, Patterns]:
        fraction: object = self.validation_fraction
        if not isinstance(fraction, float | np.floating) or not 0 < fraction < 1:
            raise ParameterError("validation_fraction", f"must be None or between 0 and 1, not {fraction!r}")
        strata = patterns.y if self.task == "classification" else None
        x, x_held, y, y_held = train_test_split(
            *patterns, test_size=float(fraction), random_state=seed % 2**32, stratify=strata
        )
        return Patterns(x, y), Patterns(x_held, y_held)

    def _outputs(self, X: ArrayLike) -> NDArray[np.float64]:
        """What the network's output units say to X, [n, outputs]."""
        check_is_fitted(self)
        return self.network_.outputs(self._checked_inputs(X, "X", reset=False))

    def _checked(self, X: ArrayLike, y: ArrayLike | None) -> tuple[NDArray[Any], NDArray[Any]]:
        """X and y as arrays of equal length, y of whatever type; the columns and their names are learnt.

        Raises:
            DataError: a value of X is no number that float32 holds.
            ValueError: scikit-learn's, for shapes that do not fit.
        """
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None")
        return self._checked_pair(X, y, "", reset=True)

    def _checked_held(self, X_val: ArrayLike | None, y_val: ArrayLike | None) -> tuple[NDArray[Any], NDArray[Any]]:
        """The same for patterns that the caller holds out."""
        if X_val is None or y_val is None:
            raise DataError("X_val" if X_val is None else "y_val", "is missing")
        return self._checked_pair(X_val, y_val, "_val", reset=False)

    def _checked_pair(
        self, X: ArrayLike, y: ArrayLike, suffix: str, *, reset: bool
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        inputs = self._checked_inputs(X, f"X{suffix}", reset=reset)
        targets = check_array(y, input_name=f"y{suffix}", dtype=None, ensure_2d=False, ensure_all_finite=False)
        check_consistent_length(inputs, targets)
        return inputs, targets

    def _checked_inputs(self, X: ArrayLike, array: str, *, reset: bool) -> NDArray[Any]:
        input_checks.check_no_dates(X, array)
        try:
            inputs: NDArray[Any] = validate_data(
                self, X, reset=reset, dtype=(np.float64, np.float32), ensure_all_finite=False
            )
        except ValueError as error:
            raise (input_checks.first_word(X, array) or error) from error
        names = getattr(self, "feature_names_in_", None)
        input_checks.check_finite(inputs, array, None if names is None else names.tolist())
        return inputs
