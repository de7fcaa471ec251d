"""What a run has found, and its way to a file and back: where the GPU is need not be where the page is written."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.engine.work import Work

from .card import Card
from .first_trainings import First
from .layers import Layer
from .rates import Rate
from .sides import GPU_SIDES, Side
from .trainings import Found, Trained


@dataclass(slots=True)
class Measured:
    """A run so far."""

    command: str
    is_quick: bool
    seconds: float = 0.0
    machine: dict[str, str] = field(default_factory=dict)
    card: Card | None = None
    missing: dict[str, str] = field(default_factory=dict)  # the card, or a side, and why it was not measured
    rates: list[Rate] = field(default_factory=list)
    layers: list[Layer] = field(default_factory=list)
    trainings: list[Trained] = field(default_factory=list)
    firsts: list[First] = field(default_factory=list)

    def rate(self, work: Work, side: Side) -> float | None:
        """Candidate-epochs a second, where they were measured."""
        return next((one.per_s for one in self.rates if one.work == work and one.side == side), None)

    def fastest(self, work: Work, sides: Sequence[Side] = GPU_SIDES) -> tuple[float, Side] | None:
        """The most candidate-epochs a second, and on which of the sides."""
        known = [(per_s, side) for side in sides if (per_s := self.rate(work, side)) is not None]
        return max(known, default=None)

    def of_peak(self, work: Work, per_s: float) -> float | None:
        """The share of the card's own product that candidates' products take, from 0 to 1."""
        return None if self.card is None else per_s * work.flops / work.pool / self.card.flops_per_s

    @property
    def works(self) -> list[Work]:
        """The sizes with the pools, in their order."""
        return list(dict.fromkeys(rate.work for rate in self.rates))

    def save(self, file: Path) -> None:
        """Write all of it."""
        file.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")

    @classmethod
    def load(cls, file: Path) -> Measured:
        """What `save` wrote."""
        values: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return cls(
            **values
            | {
                "card": None if values["card"] is None else Card(**values["card"]),
                "rates": [Rate(**one | {"work": Work(**one["work"])}) for one in values["rates"]],
                "layers": [Layer(**one | {"work": Work(**one["work"])}) for one in values["layers"]],
                "trainings": [
                    Trained(**one | {"found": None if one["found"] is None else Found(**one["found"])})
                    for one in values["trainings"]
                ],
                "firsts": [First(**one) for one in values["firsts"]],
            }
        )
