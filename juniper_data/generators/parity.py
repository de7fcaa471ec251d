"""Parity: every pattern of some bits, told apart by whether an odd number of them is set."""

import numpy as np
from pydantic import Field

from juniper_data.generators.base import Generator, LabelledPoints, WholeSetParameters


class ParityParameters(WholeSetParameters):
    """How many bits. There are 2^n_bits patterns, and by default all are trained on."""

    n_bits: int = Field(8, ge=2, le=12, description="Bits of a pattern, which is the number of features")


def generate_parity(p: ParityParameters, _: np.random.Generator) -> LabelledPoints:
    """Pattern k has the binary digits of k, the lowest first, each as −1 or +1; an odd number of +1 is class 1.

    Nothing is drawn.
    """
    bits = (np.arange(2**p.n_bits)[:, np.newaxis] >> np.arange(p.n_bits)) & 1  # [2^n_bits, n_bits]
    return LabelledPoints(X=2 * bits.astype(np.float64) - 1, labels=bits.sum(axis=1) % 2, n_classes=2)


PARITY = Generator(
    name="parity",
    version="1.0.0",
    description="Parity of some bits: every pattern, without noise, all to train on",
    parameters=ParityParameters,
    generate=generate_parity,
)
