"""A generator that goes on only when it is let: what takes long, without taking long."""

import threading
from collections import Counter

import numpy as np

from juniper_data.generators.base import Generator, GeneratorParameters, LabelledPoints

GATED = {"generator": "gated"}


class Gate:
    """Between a making that has begun and its end.

    Attributes:
        began: set when the first making has come here.
        opens: set to let all go on.
        makings: how often each seed was made.
        failure: what they end with instead.
    """

    def __init__(self) -> None:
        self.began = threading.Event()
        self.opens = threading.Event()
        self.makings: Counter[int] = Counter()
        self.failure: Exception | None = None

    def generator(self) -> Generator[GeneratorParameters]:
        """Makes ten points, once it may."""
        return Generator("gated", "1.0.0", "Ten points", GeneratorParameters, self._generate)

    def _generate(self, parameters: GeneratorParameters, rng: np.random.Generator) -> LabelledPoints:
        self.makings[parameters.seed or 0] += 1
        self.began.set()
        assert self.opens.wait(60)
        if self.failure:
            raise self.failure
        return LabelledPoints(rng.normal(size=(10, 1)), np.arange(10) % 2, 2)
