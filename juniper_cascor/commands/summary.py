"""What a person is told of a training, in a few lines."""

from typing import TYPE_CHECKING, Any

import numpy as np

from juniper_cascor.commands.sparkline import sparkline
from juniper_cascor.curves import Curves

if TYPE_CHECKING:
    from juniper_cascor.commands.learning_data import LearningData

_OUTCOMES = {
    "solved": "solved",
    "max_hidden_units": "as many hidden units as it may have",
    "max_epochs": "as many epochs as it may train",
    "max_iterations": "as many installations as it may do",
    "no_candidate": "no candidate unit correlated with the error",
    "stagnated": "more hidden units did not lower the loss",
    "early_stopped": "more hidden units did not help what was held out",
    "interrupted": "interrupted, and what was grown is kept",
    None: "not ended",
}


def of_data(data: "LearningData", *, is_guessed: bool) -> str:
    """What is learnt from what, and how the task was known."""
    X, y = data.train
    if data.task == "classification":
        what = f"{len(np.unique(y))} classes"
    else:
        what = "values" if y.ndim == 1 else f"{y.shape[1]} values a pattern"
    guess = ", as it seems (--task says otherwise)" if is_guessed else ""
    return f"{len(X)} patterns of {X.shape[1]} features; {data.names['y']}: {what}{guess}"


def of_training(estimator: Any, data: "LearningData", seconds: float) -> str:
    """Outcome, sizes, how well it does, and the curve of the loss."""
    units, why = estimator.n_hidden_units_, outcome(estimator.outcome_)
    lines = [f"{why}: {of_units(units)}, {estimator.n_iter_} epochs, {seconds:.2f} s"]
    lines += of_curves(Curves.of(estimator.metrics_), units)
    if data.test is not None:
        name = "accuracy" if data.task == "classification" else "R²"
        lines.append(f"test {name} {estimator.score(*data.test):.4f} ({len(data.test[0])} patterns)")
    return "\n".join(lines)


def of_curves(curves: Curves, n_units: int) -> list[str]:
    """The curve of the loss and the last numbers of a network of so many hidden units."""
    if not len(curves.loss):
        return []
    last = curves.last_with(n_units)
    lines = [f"loss {curves.loss[0]:.4g} {sparkline(curves.loss, logarithmic=True)} {curves.loss[-1]:.4g}"]
    for name, loss, accuracy in (
        ("training", curves.loss, curves.accuracy),
        ("held-out", curves.val_loss, curves.val_accuracy),
    ):
        if np.isfinite(loss[last]):
            known = f", {name} accuracy {accuracy[last]:.4f}" if np.isfinite(accuracy[last]) else ""
            lines.append(f"{name} loss {loss[last]:.4g}{known}")
    return lines


def of_units(count: int) -> str:
    """So many hidden units, in words."""
    return f"{count} hidden unit{'' if count == 1 else 's'}"


def outcome(name: str | None) -> str:
    """Why growth ended, in words."""
    return _OUTCOMES.get(name, str(name))
