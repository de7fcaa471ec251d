"""What is made of many measured values: percentiles, ratios, and lines of the table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table: a figure, and the budget that it has to keep, if it has one."""

    what: str
    measured: str
    budget: str = ""
    is_met: bool | None = None  # None: there is no budget

    @property
    def verdict(self) -> str:
        """As the page says it."""
        return {True: "met", False: "**missed**", None: ""}[self.is_met]


@dataclass(frozen=True, slots=True)
class Ratio:
    """What one side takes of what the other does, measured side by side several times."""

    ratios: tuple[float, ...]

    @property
    def overhead(self) -> float:
        """How much more, as a share: the median over the pairs, so that one disturbed pair does not count."""
        return median(self.ratios) - 1

    @property
    def told(self) -> str:
        """The median, with the least and the most."""
        low, high = min(self.ratios) - 1, max(self.ratios) - 1
        return f"{self.overhead:+.1%} ({low:+.1%} … {high:+.1%} over {len(self.ratios)} pairs)"


def percentile(values: Sequence[float], share: float) -> float:
    """The least of the values that so large a share of them does not exceed: never a value that was not measured.

    Raises:
        ValueError: there are no values.
    """
    if not values:
        raise ValueError("a percentile of no values")
    ranked = sorted(values)
    # ⌈share · n⌉, but 0.99 · 100 must not become 100 by the last bit of a product.
    rank = -int(-round(share * len(ranked), 9) // 1)
    return ranked[max(rank, 1) - 1]


def ratio(pairs: Sequence[tuple[float, float]]) -> Ratio:
    """Of pairs (what is examined, what it is held against)."""
    return Ratio(tuple(examined / plain for examined, plain in pairs))


def below(what: str, value: float, limit: float, unit: str, *, aside: str = "") -> Line:
    """A figure that has to stay below a limit of the same unit."""
    return Line(what, f"{value:.3g} {unit}{aside}", f"< {limit:g} {unit}", value < limit)


def cheaper(what: str, found: Ratio, limit: float, *, aside: str = "") -> Line:
    """An overhead that has to stay below a limit."""
    return Line(what, found.told + aside, f"< {limit:.0%}", found.overhead < limit)


def table(lines: Sequence[Line]) -> str:
    """The lines as Markdown."""
    rows = [("", "budget", "measured", ""), ("---",) * 4]
    rows += [(line.what, line.budget, line.measured, line.verdict) for line in lines]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"
