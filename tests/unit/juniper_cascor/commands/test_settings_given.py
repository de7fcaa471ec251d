"""Parameters as words of the command line."""

from juniper_cascor.commands import settings_given
from juniper_cascor.engine.parameters import Parameters


def test_each_kind_of_value() -> None:
    """Whole numbers, numbers, words, weights for each class, and nothing at all where that is a value."""
    words = [
        "max_hidden_units=3",
        " output_ridge = 1e-3",
        "optimizer_type=adam",
        "class_weights=1,2.5",
        "patience=None",
    ]
    given = settings_given.parse(words)
    assert given == {
        "max_hidden_units": 3,
        "output_ridge": 1e-3,
        "optimizer_type": "adam",
        "class_weights": (1.0, 2.5),
        "patience": None,
    }
    assert Parameters(**given).max_hidden_units == 3


def test_the_last_of_two_counts() -> None:
    """As of any option."""
    assert settings_given.parse(["patience=1", "patience=2"]) == {"patience": 2}


def test_no_preset_has_what_none_would_replace() -> None:
    """So None on the command line is None in the training."""
    for preset in ("default", "quality", "compact", "regression"):
        assert Parameters.preset(preset).patience is None
        assert Parameters.preset(preset).validation_patience is None
        assert Parameters.preset(preset).candidate_learning_rate is None
