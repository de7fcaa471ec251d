"""The generators there are.

A new one is a new file here, with a parameter class, a pure function and a `Generator` of the two; or such a file in
any package that names its `Generator` in the entry point group `juniper_data.generators`:

    [project.entry-points."juniper_data.generators"]
    rings = "my_package.rings:RINGS"
"""

from juniper_data.generators.base import AnyGenerator, Generator, GeneratorParameters, LabelledPoints
from juniper_data.generators.registry import generators

__all__ = ["AnyGenerator", "Generator", "GeneratorParameters", "LabelledPoints", "generators"]
