"""scikit-learn's interface: `fit` grows a network in this process, no service needed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from juniper_cascor import input_checks
from juniper_cascor.curves import Curves
from juniper_cascor.engine.errors import DataError, ParameterError
from juniper_cascor.engine.parameters import parameter_fields
from juniper_cascor.estimator_base import ENGINE_PARAMETERS, CascadeCorrelation, Patterns
from juniper_cascor.estimator_snapshot import as_classes

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray
    from sklearn.utils import Tags

    from juniper_cascor.engine.parameters import Objective, Optimizer, Parameters, Placement, Preset
    from juniper_cascor.growing import Growth
    from juniper_cascor.snapshots import Card


class CascadeCorrelationClassifier(ClassifierMixin, CascadeCorrelation):  # type: ignore[misc]
    """Grows a cascade-correlation network (Fahlman & Lebiere 1990) that tells classes apart.

    Labels may be numbers or strings. Two classes share one output unit, more have one each. Ctrl-C ends `fit` early
    and keeps what was grown, with a ConvergenceWarning.

    Args:
        preset: What the parameters that are None are taken from: "default", "quality" or "compact".
        class_weight: What an error in each class counts: None (1 each), "balanced", or a number for each label.
        validation_fraction: This share of the patterns, with as much of each class, is held out, not learnt from; the
            network that was best on it is the result (validation_patience, 5 where it is None).
        random_state: A whole number is the engine's seed itself, and fixes the result; None draws one.
        n_jobs: Threads, −1 and None for one each processor; they change how long it takes, never the result.
        verbose: Whether there is a progress bar.

    Attributes:
        classes_: The labels, sorted.
        n_features_in_: Columns of X; feature_names_in_ are their names, where X was a data frame.
        n_outputs_: Output units: 1 for two classes, else one for each.
        n_hidden_units_: Installed units.
        n_iter_: Epochs of both phases.
        outcome_: Why growth ended: "solved", "max_hidden_units", …, or "interrupted".
        loss_curve_: The training patterns' mean squared error, for each epoch of the output phases: while candidates
            are trained it does not change.
        accuracy_curve_: Their accuracy, beside it.
        validation_loss_curve_: The loss of what was held out, beside it; None without.
        validation_scores_: The accuracy of what was held out, beside it; None without.
        installed_at_: For each hidden unit, the place in these lists of its first epoch.
        network_: The network: arrays, and what they compute.
        parameters_: What the engine was told.
        seed_: And by which seed.
    """

    task = "classification"

    class_weight: Mapping[Any, float] | Literal["balanced"] | None

    classes_: NDArray[Any]
    accuracy_curve_: list[float]
    validation_scores_: list[float] | None

    def __init__(
        self,
        *,
        preset: Preset = "default",
        activation_function_name: str | None = None,
        max_hidden_units: int | None = None,
        candidate_pool_size: int | None = None,
        candidate_objective: Objective | None = None,
        candidate_placement: Placement | None = None,
        descendant_factor: float | None = None,
        candidate_epochs: int | None = None,
        candidate_patience: int | None = None,
        candidate_change_threshold: float | None = None,
        candidate_optimizer_type: Optimizer | None = None,
        candidate_learning_rate: float | None = None,
        output_epochs: int | None = None,
        output_patience: int | None = None,
        output_change_threshold: float | None = None,
        optimizer_type: Optimizer | None = None,
        learning_rate: float | None = None,
        output_ridge: float | None = None,
        quickprop_mu: float | None = None,
        class_weight: Mapping[Any, float] | Literal["balanced"] | None = None,
        correlation_threshold: float | None = None,
        error_threshold: float | None = None,
        patience: int | None = None,
        validation_patience: int | None = None,
        max_epochs: int | None = None,
        max_iterations: int | None = None,
        validation_fraction: float | None = None,
        random_state: int | np.random.RandomState | None = None,
        n_jobs: int | None = None,
        verbose: int = 0,
    ) -> None:
        _keep(self, locals())

    def fit(
        self, X: ArrayLike, y: ArrayLike | None, *, X_val: ArrayLike | None = None, y_val: ArrayLike | None = None
    ) -> Self:
        """Grow a network for patterns X [n, features] and labels y [n].

        Args:
            X: Inputs.
            y: A label for each row of X.
            X_val: Patterns to hold against, instead of a share of X (validation_fraction).
            y_val: Their labels.

        Raises:
            DataError: naming the row, and the column, that cannot be trained on.
            ParameterError: naming the parameter that is out of its bounds.
        """
        inputs, given = self._checked(X, y)
        labels = _labels(given, "y")
        check_classification_targets(labels)
        self.classes_, codes = np.unique(labels, return_inverse=True)
        if len(self.classes_) == 1:
            raise DataError("y", f"holds one class only: {str(self.classes_[0])!r} in all {len(labels)} rows")
        held = None
        if X_val is not None or y_val is not None:
            inputs_held, given_held = self._checked_held(X_val, y_val)
            codes_held = input_checks.codes_of(_labels(given_held, "y_val"), self.classes_, "y_val")
            held = Patterns(inputs_held, input_checks.as_targets(codes_held, len(self.classes_)))
        patterns = Patterns(inputs, input_checks.as_targets(codes, len(self.classes_)))
        self._grow(patterns, held, {"class_weights": self._class_weights(labels)})
        return self

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """The label of each row of X."""
        outputs = self._outputs(X)
        codes = (outputs[:, 0] > 0.5).astype(np.int64) if self.n_outputs_ == 1 else outputs.argmax(axis=1)
        labels: NDArray[Any] = self.classes_[codes]
        return labels

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """A share for each class, [n, classes], in the order of `classes_`; a row adds up to 1.

        Each output unit says by itself, in (0, 1), how much a pattern belongs to its class (it is a sigmoid, there is
        no softmax); the outputs are divided by their sum. They are not calibrated.
        """
        return probabilities(self._outputs(X))

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """What the output units say, on the scale that they are trained on, (−0.5, 0.5).

        [n] for two classes, above 0 for the second of `classes_`; else [n, classes].
        """
        outputs = self._outputs(X) - 0.5
        if self.n_outputs_ == 2:  # from a file of the training service, which has an output for each of two classes
            return outputs[:, 1] - outputs[:, 0]
        return outputs[:, 0] if self.n_outputs_ == 1 else outputs

    def become(self, growth: Growth, parameters: Parameters, seed: int) -> None:
        """Set what a fitted estimator has of its network and its training."""
        super().become(growth, parameters, seed)
        curves = Curves.of(growth.metrics)
        self.accuracy_curve_ = curves.accuracy.tolist()
        self.validation_scores_ = curves.val_accuracy.tolist() if curves.has_validation else None

    def become_labelled(self, card: Card) -> None:
        """Take the labels as the classes; 0, 1, … where a file has none."""
        self.classes_ = np.arange(max(2, self.n_outputs_)) if card.labels is None else as_classes(card.labels)
        weights = self.parameters_.class_weights
        if isinstance(weights, tuple):
            self.class_weight = dict(zip(self.classes_.tolist(), weights, strict=True))
        else:
            self.class_weight = weights

    def _class_weights(self, labels: NDArray[Any]) -> str | tuple[float, ...] | None:
        given: object = self.class_weight
        if given is None or (isinstance(given, str) and given == "balanced"):
            return given
        if not isinstance(given, Mapping):
            raise ParameterError("class_weight", f"must be None, 'balanced' or a number for each label, not {given!r}")
        known = self.classes_.tolist()
        if unknown := [label for label in given if label not in known]:
            raise ParameterError("class_weight", f"{unknown[0]!r} is no label of y")
        try:
            weights = compute_class_weight(dict(given), classes=self.classes_, y=labels)
        except (TypeError, ValueError) as error:
            raise ParameterError("class_weight", f"must have a number for each label: {error}") from error
        return tuple(weights.tolist())


class CascadeCorrelationRegressor(RegressorMixin, CascadeCorrelation):  # type: ignore[misc]
    """Grows a cascade-correlation network (Fahlman & Lebiere 1990) whose linear outputs are values.

    Targets may have one column or several. Arguments and attributes are those of CascadeCorrelationClassifier, less
    what concerns classes; losses are in variances of the targets, so that 1 − loss is about R².
    """

    task = "regression"

    def __init__(
        self,
        *,
        preset: Preset = "regression",
        activation_function_name: str | None = None,
        max_hidden_units: int | None = None,
        candidate_pool_size: int | None = None,
        candidate_objective: Objective | None = None,
        candidate_placement: Placement | None = None,
        descendant_factor: float | None = None,
        candidate_epochs: int | None = None,
        candidate_patience: int | None = None,
        candidate_change_threshold: float | None = None,
        candidate_optimizer_type: Optimizer | None = None,
        candidate_learning_rate: float | None = None,
        output_epochs: int | None = None,
        output_patience: int | None = None,
        output_change_threshold: float | None = None,
        optimizer_type: Optimizer | None = None,
        learning_rate: float | None = None,
        output_ridge: float | None = None,
        quickprop_mu: float | None = None,
        correlation_threshold: float | None = None,
        error_threshold: float | None = None,
        patience: int | None = None,
        validation_patience: int | None = None,
        max_epochs: int | None = None,
        max_iterations: int | None = None,
        validation_fraction: float | None = None,
        random_state: int | np.random.RandomState | None = None,
        n_jobs: int | None = None,
        verbose: int = 0,
    ) -> None:
        _keep(self, locals())

    def fit(
        self, X: ArrayLike, y: ArrayLike | None, *, X_val: ArrayLike | None = None, y_val: ArrayLike | None = None
    ) -> Self:
        """Grow a network for patterns X [n, features] and values y, [n] or [n, outputs].

        Args:
            X: Inputs.
            y: Values for each row of X.
            X_val: Patterns to hold against, instead of a share of X (validation_fraction).
            y_val: Their values.

        Raises:
            DataError: naming the row, and the column, that cannot be trained on.
            ParameterError: naming the parameter that is out of its bounds.
        """
        inputs, given = self._checked(X, y)
        held = None
        if X_val is not None or y_val is not None:
            inputs_held, given_held = self._checked_held(X_val, y_val)
            held = Patterns(inputs_held, _values(given_held, "y_val"))
        self._grow(Patterns(inputs, _values(given, "y")), held, {})
        self._target_dimensions = 1 if given.ndim == 1 else 2
        return self

    def predict(self, X: ArrayLike) -> NDArray[np.float64]:
        """The values of each row of X: [n] where y was, else [n, outputs]."""
        outputs = self._outputs(X).astype(np.float64)  # which scikit-learn's metrics and checks want
        return outputs[:, 0] if self._target_dimensions == 1 else outputs

    def become_labelled(self, card: Card) -> None:
        """Take a single output to have been a y [n], where a file does not say."""
        self._target_dimensions = card.target_dimensions or (1 if self.n_outputs_ == 1 else 2)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


def probabilities(outputs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Outputs [n, outputs] as a share for each class, [n, classes]; equal shares where no output says anything."""
    if outputs.shape[1] == 1:
        return np.hstack([1 - outputs, outputs])
    sums = outputs.sum(axis=1, keepdims=True)
    shares: NDArray[np.float64] = np.divide(
        outputs, sums, out=np.full_like(outputs, 1 / outputs.shape[1]), where=sums > 0
    )
    return shares


def _keep(estimator: CascadeCorrelation, arguments: dict[str, Any]) -> None:
    """Set what an __init__ was given, unchanged, as scikit-learn asks; `fit` looks at it."""
    for name in estimator._get_param_names():
        setattr(estimator, name, arguments[name])


def _labels(given: NDArray[Any], array: str) -> NDArray[Any]:
    return input_checks.as_labels(column_or_1d(given, warn=True), array)


def _values(given: NDArray[Any], array: str) -> NDArray[Any]:
    """Targets of a regression as [n, outputs]."""
    try:
        values = given.astype(np.float64)
    except ValueError as error:
        raise (input_checks.first_word(given, array) or error) from error
    input_checks.check_finite(values, array)
    return values.reshape(len(values), -1)


_ENGINE = "\n".join(
    f"    {name}: {known.effect} ({known.bounds})"
    for name, known in parameter_fields().items()
    if name in ENGINE_PARAMETERS
)
for _estimator in (CascadeCorrelationClassifier, CascadeCorrelationRegressor):
    _estimator.__doc__ = f"{_estimator.__doc__}\n\n    The engine's parameters; None: the preset's value.\n{_ENGINE}"
