import numpy as np
import pytest

from juniper_data.sampling import classes_of, spread

UNEVEN = np.repeat(np.array([0, 1, 2], np.uint16), [10, 1000, 3])


@pytest.mark.parametrize(
    ("n", "counts"), [(40, [10, 27, 3]), (9, [3, 3, 3]), (2, [1, 1, 0]), (1013, [10, 1000, 3]), (5000, [10, 1000, 3])]
)
def test_each_class_has_its_share(n: int, counts: list[int]) -> None:
    """As many samples as of any other class, or all that it has."""
    picked = spread(UNEVEN, n)
    assert np.bincount(UNEVEN[picked], minlength=3).tolist() == counts
    assert len(set(picked.tolist())) == sum(counts)


def test_samples_are_spread_over_the_set() -> None:
    """From its beginning to its end, in its order."""
    picked = spread(np.zeros(1000, np.uint16), 10)
    assert picked.tolist() == list(range(0, 1000, 100))


def test_an_empty_set_has_no_samples() -> None:
    """None is picked of none."""
    assert spread(np.zeros(0, np.uint16), 10).tolist() == []


def test_classes_are_those_of_the_targets() -> None:
    """A column of values to predict is one class, whatever they are."""
    assert classes_of(np.eye(3, dtype=np.float32)[[2, 0]]).tolist() == [2, 0]
    assert classes_of(np.array([[7.5], [-1]], np.float32)).tolist() == [0, 0]
