"""Parameters as words of the command line."""

import pytest

from juniper_cascor.commands import settings_given
from juniper_cascor.commands.errors import CommandError
from juniper_cascor.engine.parameters import Parameters


def test_each_kind_of_value() -> None:
    """Whole numbers, numbers, words and weights for each class."""
    words = [
        "max_hidden_units=3",
        " output_ridge = 1e-3",
        "optimizer_type=adam",
        "class_weights=1,2.5",
    ]
    given = settings_given.parse(words)
    assert given == {
        "max_hidden_units": 3,
        "output_ridge": 1e-3,
        "optimizer_type": "adam",
        "class_weights": (1.0, 2.5),
    }
    assert Parameters(**given).max_hidden_units == 3


def test_the_last_of_two_counts() -> None:
    """As of any option."""
    assert settings_given.parse(["patience=1", "patience=2"]) == {"patience": 2}


def test_none_is_what_the_preset_has() -> None:
    """So it is not given: a preset may have a number there."""
    with pytest.raises(CommandError, match="--set validation_patience=None: that is no value") as caught:
        settings_given.parse(["validation_patience=None"])
    assert caught.value.next_step == "leave it out for what the preset has, or give it whole, 1 to 10000"
