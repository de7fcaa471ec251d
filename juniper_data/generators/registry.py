"""Finds generators: those of this package, and those that other packages bring."""

import functools
import importlib
import logging
import pkgutil
import re
from collections.abc import Iterator, Mapping
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType

import numpy as np
from pydantic import ConfigDict

from juniper_common.wire.datasets import DATASET_ID_PATTERN
from juniper_common.wire.errors import FieldProblem
from juniper_data.errors import InvalidParametersError
from juniper_data.generators.base import AnyGenerator, Generator, GeneratorParameters, LabelledPoints

GROUP = "juniper_data.generators"

log = logging.getLogger(__name__)


@functools.cache
def generators() -> Mapping[str, AnyGenerator]:
    """All generators by name; looked for once in a process.

    What cannot be used of other packages is left out, and logged. One that lacks something to be installed is listed,
    and refuses to generate.
    """
    found = {generator.name: generator for generator in _built_in()}
    for entry_point in entry_points(group=GROUP):
        origin = f"{entry_point.dist.name if entry_point.dist else 'a package'}: {entry_point.value}"
        if entry_point.name in found:
            log.warning("generator %s of %s is left out: there is one of that name", entry_point.name, origin)
            continue
        try:
            found[entry_point.name] = _brought(entry_point)
        # SystemExit: a module may be a script.
        except (Exception, SystemExit):
            log.exception("generator %s of %s is left out", entry_point.name, origin)
    return MappingProxyType(found)


def _built_in() -> Iterator[AnyGenerator]:
    package = importlib.import_module("juniper_data.generators")
    for file in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        module = importlib.import_module(file.name)
        yield from (value for value in vars(module).values() if isinstance(value, Generator))


def _brought(entry_point: EntryPoint) -> AnyGenerator:
    """What an entry point names; raises where that is no generator of this name."""
    try:
        generator = entry_point.load()
    except ImportError as error:
        generator = _unavailable(entry_point, error)
    if not isinstance(generator, Generator):
        raise TypeError(f"{generator!r} is no Generator")
    if generator.name != entry_point.name:
        raise ValueError(f"the generator calls itself {generator.name}")
    if not re.fullmatch(DATASET_ID_PATTERN, f"{generator.name}-{generator.version}-{0:016x}"):
        raise ValueError(f"no dataset can have an id with name {generator.name} and version {generator.version}")
    if not issubclass(generator.parameters, GeneratorParameters):
        raise TypeError(f"{generator.parameters.__name__} is no subclass of GeneratorParameters")
    generator.parameters.model_json_schema()  # raises for a field that no JSON can give
    return generator


class _UnknownParameters(GeneratorParameters):
    """Nobody knows what a generator takes that cannot be imported."""

    model_config = ConfigDict(extra="ignore")


def _unavailable(entry_point: EntryPoint, error: ImportError) -> AnyGenerator:
    """A stand-in for a generator whose module, or one that it needs, cannot be imported."""
    package = entry_point.dist.name if entry_point.dist else entry_point.module
    extras = ",".join(entry_point.extras)
    hint = f"pip install '{package}[{extras}]'" if extras else f"{package} needs a module that is missing: {error}"

    def refuse(_: GeneratorParameters, __: np.random.Generator) -> LabelledPoints:
        message = f"{entry_point.name} cannot generate here: {hint}"
        raise InvalidParametersError((FieldProblem(loc=["generator"], msg=message),))

    return Generator(
        name=entry_point.name,
        version="0.0.0",
        description=f"A generator of {package} that cannot be imported: {error}",
        parameters=_UnknownParameters,
        generate=refuse,
        install_hint=hint,
    )
