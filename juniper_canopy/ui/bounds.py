"""Where the number of a field may lie, as a JSON Schema states it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeGuard

from pydantic import JsonValue

JsonObject = Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Bounds:
    """An interval; an open end is itself no value."""

    low: float = -math.inf
    high: float = math.inf
    is_low_open: bool = False
    is_high_open: bool = False

    @property
    def in_words(self) -> str:
        """The bounds as a hint says them; empty where there are none."""
        low, high = _figure(self.low), _figure(self.high)
        if math.isfinite(self.low) and math.isfinite(self.high) and not (self.is_low_open or self.is_high_open):
            return f"{low} to {high}"
        ends = []
        if math.isfinite(self.low):
            ends.append(f"more than {low}" if self.is_low_open else f"at least {low}")
        if math.isfinite(self.high):
            ends.append(f"less than {high}" if self.is_high_open else f"at most {high}")
        return ", ".join(ends)

    def check(self, number: float) -> None:
        """Raise ValueError, in words, for a number outside."""
        is_low = number < self.low or (self.is_low_open and number == self.low)
        if is_low or number > self.high or (self.is_high_open and number == self.high):
            raise ValueError(f"must be {self.in_words}")


UNBOUNDED = Bounds()


def bounds_of(schema: JsonObject) -> Bounds:
    """The bounds that a schema states; where it states an end twice, the narrower one counts."""
    low, above = number_of(schema, "minimum"), number_of(schema, "exclusiveMinimum")
    high, below = number_of(schema, "maximum"), number_of(schema, "exclusiveMaximum")
    return Bounds(
        max(-math.inf if low is None else low, -math.inf if above is None else above),
        min(math.inf if high is None else high, math.inf if below is None else below),
        above is not None and (low is None or above >= low),
        below is not None and (high is None or below <= high),
    )


def number_of(schema: JsonObject, name: str) -> float | None:
    """A number that a schema states under a name."""
    value = schema.get(name)
    return float(value) if is_number(value) else None


def is_number(value: JsonValue) -> TypeGuard[float]:
    """Whether a JSON value is a number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _figure(number: float) -> str:
    return f"{number:,.0f}" if number.is_integer() else f"{number:,.6g}"
