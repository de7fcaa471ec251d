"""Labels become classes: the sorted distinct labels, numbers by their value, else all of them as text."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from juniper_data.imports.refusals import refused, shown

MAX_CLASSES = 1000
MAX_LABEL = 200

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be predicted.

    Args:
        n_classes: 0 for a regression.
        width: columns of y.
        classes: class index of each code in the rows; None: there the numbers of y themselves stand.
        class_names: by their index, where they have names.
    """

    n_classes: int
    width: int
    classes: NDArray[np.int64] | None = None
    class_names: tuple[str, ...] | None = None


class ClassCodes:
    """Numbers the labels as they come; only when all have come can they be sorted."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}

    def code(self, label: str) -> int:
        """The label's number; spaces around it do not count.

        Raises:
            UnreadableFileError: it is one too many, or too long for a name.
        """
        label = label.strip()
        if label in self._codes:
            return self._codes[label]
        if len(label) > MAX_LABEL:
            raise refused(f"has a label of more than {MAX_LABEL} characters: {shown(label)}", "label_column")
        if len(self._codes) == MAX_CLASSES:
            message = f"has more than {MAX_CLASSES} different labels; one_hot_labels=false takes numbers to predict"
            raise refused(message, "label_column")
        return self._codes.setdefault(label, len(self._codes))

    def codes(self, labels: Sequence[str | None]) -> NDArray[np.float64]:
        """The labels' numbers; NaN where there is no label."""
        return np.array([np.nan if label is None else self.code(label) for label in labels], np.float64)

    def target(self, is_used: NDArray[np.bool_]) -> Target:
        """The classes of the labels that are used. Those of the same value, as 1 and 1.0, are one class.

        Args:
            is_used: by code. A label that stood in dropped rows alone is no class.
        """
        labels = [label for label, code in self._codes.items() if is_used[code]]
        values = [_exact(label) for label in labels]
        keys: list[Any] = list(labels) if None in values else values
        ranks = {key: rank for rank, key in enumerate(sorted(set(keys)))}
        classes = np.zeros(len(self._codes), np.int64)
        classes[[self._codes[label] for label in labels]] = [ranks[key] for key in keys]
        # reversed: of several ways to write a number, the first that came is the class's name.
        names = {ranks[key]: label for key, label in reversed(list(zip(keys, labels, strict=True)))}
        return Target(len(ranks), len(ranks), classes, tuple(names[rank] for rank in range(len(ranks))))


def number(text: str) -> float | None:
    """The finite number that a text says, None where it says none."""
    text = text.strip()
    value = float(text) if _NUMBER.fullmatch(text) else float("nan")
    return value if math.isfinite(value) else None


def label_text(value: object) -> str | None:
    """A label as a text, the same for the same number whatever type it has; None: it cannot be a label."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return value
        case int():
            return str(value)
        case float() if math.isfinite(value):
            return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
    return None


def _exact(label: str) -> float | int | None:
    """Whole numbers as such: as floats, two long ones might be the same."""
    return int(label) if re.fullmatch(r"[+-]?\d+", label, re.ASCII) else number(label)
