"""What a dataset can be asked to be like."""

import pytest
from pydantic import ValidationError

from juniper_common.wire.datasets import JsonObject
from juniper_common.wire.profiles import Constraints


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"min_samples": 2, "max_samples": 1}, "min_samples = 2 is more than max_samples = 1"),
        ({"min_value": 0.5, "max_value": 0}, r"min_value = 0.5 is more than max_value = 0.0"),
    ],
)
def test_constraints_that_nothing_can_keep_are_refused(wrong: JsonObject, told: str) -> None:
    """Whoever mixes up least and most learns it before anything is made."""
    with pytest.raises(ValidationError, match=told):
        Constraints.model_validate(wrong)


def test_least_and_most_may_be_the_same() -> None:
    """A single size can be asked for."""
    assert Constraints(min_samples=5, max_samples=5, min_value=0, max_value=0).max_samples == 5
