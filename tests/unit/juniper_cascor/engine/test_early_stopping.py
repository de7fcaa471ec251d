"""Validation patterns end growth when it no longer helps them, and decide which network is the result."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from juniper_cascor.engine.parameters import Parameters
from juniper_cascor.engine.training import Training

from .data import FAST, noisy_points

X, Y = noisy_points(120)
X_VAL, Y_VAL = noisy_points(60, seed=1)
PATIENT = replace(FAST, validation_patience=2, max_hidden_units=12)


def phase_ends(training: Training) -> list[tuple[int, float]]:
    """Advance to the end: hidden units and validation loss after each output phase."""
    ends: dict[int, float] = {}
    while training.finished is None:
        progress = training.advance()
        if progress.phase == "output":
            ends[progress.n_hidden_units] = float(progress.rows.val_loss[-1])
    return list(ends.items())


def test_growth_ends_when_units_no_longer_help() -> None:
    """It ends with `validation_patience` units after the best one, and the result has only the best's units."""
    training = Training.start(X, Y, PATIENT, seed=2, x_val=X_VAL, y_val=Y_VAL)
    ends = phase_ends(training)
    best_units, best_loss = min(ends, key=lambda end: end[1])
    assert training.finished == "early_stopped"
    assert ends[-1][0] == best_units + 2
    assert training.network.n_hidden_units == best_units
    outputs = training.network.outputs(X_VAL)
    assert np.mean((outputs - Y_VAL) ** 2) == pytest.approx(best_loss, rel=1e-4)


@pytest.mark.parametrize(
    ("parameters", "outcome"),
    [
        (replace(PATIENT, max_hidden_units=7, validation_patience=99), "max_hidden_units"),
        (replace(PATIENT, max_epochs=205, validation_patience=99), "max_epochs"),
        (replace(PATIENT, correlation_threshold=1e3), "no_candidate"),
    ],
)
def test_the_best_network_is_the_result_however_growth_ends(parameters: Parameters, outcome: str) -> None:
    """Other stops too leave the network that was best on the validation patterns."""
    training = Training.start(X, Y, parameters, seed=2, x_val=X_VAL, y_val=Y_VAL)
    ends = phase_ends(training)
    assert training.finished == outcome
    best_loss = min(loss for _, loss in ends)
    outputs = training.network.outputs(X_VAL)
    assert np.mean((outputs - Y_VAL) ** 2) == pytest.approx(best_loss, rel=1e-4)


def test_the_best_network_so_far_is_to_be_had_before_the_end() -> None:
    """Broken off after more units, a training still has the network that was best on the validation patterns."""
    training = Training.start(X, Y, PATIENT, seed=2, x_val=X_VAL, y_val=Y_VAL)
    before = training.best_network
    assert before.output_weights.tobytes() == training.network.output_weights.tobytes()
    so_far = before
    while training.finished is None:
        so_far = training.best_network
        training.advance()
    assert so_far.n_hidden_units == training.network.n_hidden_units
    assert so_far.output_weights.tobytes() == training.network.output_weights.tobytes()


def test_without_patience_validation_is_only_watched() -> None:
    """The same network grows with validation patterns as without."""
    watched = Training.start(X, Y, FAST, seed=2, x_val=X_VAL, y_val=Y_VAL)
    alone = Training.start(X, Y, FAST, seed=2)
    phase_ends(watched)
    phase_ends(alone)
    assert watched.network.output_weights.tobytes() == alone.network.output_weights.tobytes()


def test_without_validation_patterns_patience_waits_for_nothing() -> None:
    """There is nothing to be patient about: growth ends by its other stops."""
    training = Training.start(X, Y, PATIENT, seed=2)
    phase_ends(training)
    assert training.finished == "max_hidden_units"


def test_siblings_make_a_shallower_network() -> None:
    """With siblings units share layers: the deepest path is shorter than the number of units."""
    parameters = Parameters(max_hidden_units=12, candidate_placement="sibling-or-descendant")
    training = Training.start(X, Y, parameters, seed=2)
    phase_ends(training)
    fan_ins = [len(weights) for weights in training.network.hidden_weights]
    assert len(fan_ins) == 12
    assert len(set(fan_ins)) < 12
    assert fan_ins == sorted(fan_ins)
