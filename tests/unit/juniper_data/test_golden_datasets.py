import pytest

from juniper_data.generators import generators
from tests import golden_datasets as golden

reason = golden.other_bytes()


@pytest.mark.skipif(reason is not None, reason=str(reason))
def test_datasets_are_byte_for_byte_what_they_were() -> None:
    """No generator gives other bytes or ids than were written down; a change that is meant writes them anew."""
    assert list(golden.remade()) == golden.written().datasets


def test_golden_datasets_are_of_the_pinned_numpy() -> None:
    """Whoever raises the pin finds out whether the bytes are still the same."""
    assert golden.written().numpy == golden.pinned_numpy()


@pytest.mark.parametrize("name", generators())
def test_each_generator_has_golden_datasets(name: str) -> None:
    """A new generator brings its own, the defaults among them."""
    assert {} in golden.PARAMETER_SETS[name]
    assert len(golden.PARAMETER_SETS[name]) >= 3
