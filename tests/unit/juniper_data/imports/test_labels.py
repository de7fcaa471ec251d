import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from juniper_data.errors import UnreadableFileError
from juniper_data.imports.labels import MAX_CLASSES, ClassCodes, label_text, number


def _classes(labels: list[str]) -> tuple[list[int], tuple[str, ...] | None]:
    codes = ClassCodes()
    coded = codes.codes(labels).astype(int)
    target = codes.target(np.ones(MAX_CLASSES, bool))
    assert target.classes is not None
    return target.classes[coded].tolist(), target.class_names


def test_numbers_are_sorted_by_value() -> None:
    """Ten comes after nine; two ways to write a number are one class, called as it came first."""
    assert _classes(["10", "9", "9.0", " 10 ", "-1e1"]) == ([2, 1, 1, 2, 0], ("-1e1", "9", "10"))


def test_texts_are_sorted_as_texts() -> None:
    """A single text among the labels makes texts of all."""
    assert _classes(["10", "9", "b"]) == ([0, 1, 2], ("10", "9", "b"))


def test_long_whole_numbers_stay_apart() -> None:
    """Two numbers that are the same as floats are two classes."""
    assert _classes(["9007199254740993", "9007199254740992"])[0] == [1, 0]


@given(st.lists(st.text(max_size=5), min_size=1, max_size=30))
def test_any_labels_become_classes(labels: list[str]) -> None:
    """Each label gets a class, equal ones the same, and there are as many names as classes."""
    classes, names = _classes(labels)
    assert names is not None
    assert set(classes) == set(range(len(names)))
    assert all(classes[i] == classes[j] for i, a in enumerate(labels) for j, b in enumerate(labels) if a == b)


def test_too_many_classes_are_refused() -> None:
    """One more than there may be is refused, with what to do."""
    with pytest.raises(UnreadableFileError, match="more than 1000 different labels; one_hot_labels=false"):
        ClassCodes().codes([str(j) for j in range(MAX_CLASSES + 1)])


def test_endless_label_is_refused() -> None:
    """A label becomes a name in the meta: it has an end."""
    with pytest.raises(UnreadableFileError, match="of more than 200 characters: 'xxx"):
        ClassCodes().codes(["x" * 201])


@pytest.mark.parametrize(
    ("text", "value"),
    [(" 1.5 ", 1.5), ("+1", 1.0), ("1.", 1.0), (".5", 0.5), ("-2E-3", -0.002), ("1e999", None), ("nan", None)]
    + [(text, None) for text in ("", "inf", "-Infinity", "1_0", "0x10", "١", "1,5", "1 2", "2024-01-01", "true")],
)
def test_numbers_are_plain_decimals(text: str, value: float | None) -> None:
    """What Python alone takes for a number, or what is not finite, is none."""
    assert number(text) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "1"),
        (1.0, "1"),
        (0.5, "0.5"),
        (True, "true"),
        ("a", "a"),
        (1e300, "1e+300"),
        (float("nan"), None),
        ([], None),
    ],
)
def test_labels_of_any_type_have_one_text(value: object, text: str | None) -> None:
    """The same label is written the same, whatever file it is from."""
    assert label_text(value) == text
