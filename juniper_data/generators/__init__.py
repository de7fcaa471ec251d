"""The generators there are. A new one is a new file here and one more line in `GENERATORS`."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from juniper_data.generators.base import Generator, GeneratorParameters, LabelledPoints
from juniper_data.generators.cmu_spirals import CMU_SPIRALS
from juniper_data.generators.spiral import SPIRAL
from juniper_data.generators.xor import XOR

# Any: each generator takes parameters of its own class, and only ever those that its own class validated.
AnyGenerator = Generator[Any]

GENERATORS: Mapping[str, AnyGenerator] = MappingProxyType(
    {generator.name: generator for generator in (SPIRAL, CMU_SPIRALS, XOR)}
)

__all__ = ["GENERATORS", "AnyGenerator", "Generator", "GeneratorParameters", "LabelledPoints"]
