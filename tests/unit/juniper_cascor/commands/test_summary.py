"""What a person is told of a training."""

from typing import get_args

import numpy as np
import pytest

from juniper_cascor.commands import summary
from juniper_cascor.curves import Curves
from juniper_cascor.engine.events import Outcome


@pytest.mark.parametrize("outcome", [*get_args(Outcome), "interrupted", None])
def test_every_outcome_has_words(outcome: str | None) -> None:
    """Not only a name in a program; "solved" is a word already."""
    words = summary.outcome(outcome)
    assert words
    assert "_" not in words


def test_an_outcome_of_a_later_version_is_told_as_it_is() -> None:
    """A file may come from one."""
    assert summary.outcome("bored") == "bored"


def test_numbers_are_those_of_the_network_that_was_kept() -> None:
    """Not of the units after it, which are gone."""
    loss, accuracy = np.array([4, 3, 2, 1], np.float32), np.array([0.1, 0.2, 0.3, 0.4], np.float32)
    curves = Curves(loss, accuracy, loss + 4, accuracy + 0.5, np.array([2, 3]))
    _, training, held_out = summary.of_curves(curves, 1)
    assert training == "training loss 2, training accuracy 0.3000"
    assert held_out == "held-out loss 6, held-out accuracy 0.8000"
