import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import juniper_data
from juniper_data.generators import AnyGenerator, LabelledPoints, generators

RINGS = """
import numpy as np
from pydantic import Field
from juniper_data.generators import Generator, GeneratorParameters, LabelledPoints

class RingsParameters(GeneratorParameters):
    n_samples: int = Field(10, ge=1, le=1000)

def generate(p, rng):
    return LabelledPoints(X=rng.random((p.n_samples, 3)), labels=np.zeros(p.n_samples, int), n_classes=1)

def named(name, version="1.0.0", parameters=RingsParameters):
    return Generator(name=name, version=version, description="Rings", parameters=parameters, generate=generate)

RINGS = named("rings")
SPIRAL = named("spiral", "9.9.9")
GOOD = named("good")
OTHER_NAME = named("elsewhere")
NO_VERSION = named("no_version", "new")
NO_PARAMETERS = named("no_parameters", parameters=dict)
NO_GENERATOR = generate
"""

LIST = """
import json, logging, sys
logging.basicConfig(format="%(levelname)s %(message)s")
from juniper_data.generators import generators
generators()
json.dump({each.name: [each.version, each.install_hint] for each in generators().values()}, sys.stdout)
"""

REFUSED = """
from juniper_data.errors import InvalidParametersError
from juniper_data.generators import generators
from juniper_data.making import generated
generator = generators()["{name}"]
try:
    with generated(generator, generator.parameters.model_validate({{"anything": 1}})):
        pass
except InvalidParametersError as error:
    print(error)
"""

BuiltIn = dict[str, list[str | None]]
Run = Callable[[str], tuple[str, str]]


@pytest.fixture
def installed(tmp_path: Path) -> Callable[..., Run]:
    """Entry points in, the means to run Python out where a package of the name `rings` is installed that has them."""

    def install(**entry_points: str) -> Run:
        (tmp_path / "rings.py").write_text(RINGS)
        (tmp_path / "failing.py").write_text("raise OSError('no such device')")
        (tmp_path / "script.py").write_text("raise SystemExit(3)")
        (tmp_path / "needy.py").write_text("import a_module_that_nobody_has")
        metadata = tmp_path / "rings-1.2.3.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: rings\nVersion: 1.2.3\n")
        lines = [f"{name} = {value}" for name, value in entry_points.items()]
        (metadata / "entry_points.txt").write_text("\n".join(["[juniper_data.generators]", *lines, ""]))

        def run(code: str) -> tuple[str, str]:
            path = f"{tmp_path}:{Path(juniper_data.__file__).parent.parent}"
            environment = os.environ | {"PYTHONPATH": path}
            done = subprocess.run(
                [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
            )
            return done.stdout, done.stderr

        return run

    return install


def _built_in() -> BuiltIn:
    return {generator.name: [generator.version, None] for generator in generators().values()}


def _points(generator: AnyGenerator, seed: int) -> LabelledPoints:
    points = generator.generate(generator.parameters(), np.random.default_rng(seed))
    assert isinstance(points, LabelledPoints)
    return points


def test_generators_of_the_package_are_found() -> None:
    """Each file of the package is a generator, under its own name."""
    files = ["checkerboard", "circles", "cmu_spirals", "gaussian", "moon", "parity", "spiral", "xor"]
    assert {name: generator.name for name, generator in generators().items()} == {name: name for name in files}


@pytest.mark.parametrize("generator", generators().values(), ids=generators().keys())
def test_same_seed_gives_the_same_points(generator: AnyGenerator) -> None:
    """A generator draws from the random generator that it is given, and from nothing else."""
    first, second = _points(generator, 5), _points(generator, 5)
    assert np.array_equal(first.X, second.X)
    assert np.array_equal(first.labels, second.labels)


@pytest.mark.parametrize("generator", generators().values(), ids=generators().keys())
def test_generators_document_every_parameter(generator: AnyGenerator) -> None:
    """The schema that the dashboard builds its form from describes each field, and allows no other."""
    schema = generator.parameters.model_json_schema()
    assert schema["additionalProperties"] is False
    assert all("description" in field for field in schema["properties"].values())


def test_generator_of_another_package_is_found(installed: Callable[..., Run]) -> None:
    """An entry point is all that a generator of a user's own takes."""
    listed, log = installed(rings="rings:RINGS")(LIST)
    assert json.loads(listed) == _built_in() | {"rings": ["1.0.0", None]}
    assert log == ""


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("failing", "failing:X", "no such device"),
        ("script", "script:X", "SystemExit: 3"),
        ("rings", "rings:NOTHING", "no attribute 'NOTHING'"),
        ("rings", "rings:NO_GENERATOR", "is no Generator"),
        ("rings", "rings:OTHER_NAME", "calls itself elsewhere"),
        ("no_version", "rings:NO_VERSION", "version new"),
        ("no_parameters", "rings:NO_PARAMETERS", "no subclass of GeneratorParameters"),
        ("Bad-Name", "needy:X", "name Bad-Name"),
    ],
)
def test_broken_entry_point_is_left_out_and_told_once(
    installed: Callable[..., Run], name: str, value: str, told: str
) -> None:
    """What cannot be used takes nothing else down, and the log says what and why."""
    listed, log = installed(**{name: value}, good="rings:GOOD")(LIST)
    assert json.loads(listed) == _built_in() | {"good": ["1.0.0", None]}
    assert log.count(f"ERROR generator {name} of rings: {value} is left out") == 1
    assert told in log


def test_built_in_generator_keeps_its_name(installed: Callable[..., Run]) -> None:
    """Another package cannot replace a generator; the log says that it tried."""
    listed, log = installed(spiral="rings:SPIRAL")(LIST)
    assert json.loads(listed) == _built_in()
    assert log == "WARNING generator spiral of rings: rings:SPIRAL is left out: there is one of that name\n"


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        ("needy:X", "rings needs a module that is missing: No module named 'a_module_that_nobody_has'"),
        ("needy:X [pictures]", "pip install 'rings[pictures]'"),
    ],
)
def test_generator_that_lacks_a_module_is_listed_with_what_to_install(
    installed: Callable[..., Run], value: str, hint: str
) -> None:
    """An operator sees what is missing in the list; who asks for a dataset is told too."""
    run = installed(needy=value)
    assert json.loads(run(LIST)[0]) == _built_in() | {"needy": ["0.0.0", hint]}
    assert run(REFUSED.format(name="needy"))[0] == f"generator: needy cannot generate here: {hint}\n"
