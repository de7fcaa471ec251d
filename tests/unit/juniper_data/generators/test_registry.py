import hashlib
import io

import numpy as np
import pytest

from juniper_data.arrays import arrange
from juniper_data.generators import GENERATORS, AnyGenerator
from juniper_data.npz import write_npz


def _artifact(generator: AnyGenerator, seed: int) -> str:
    parameters = generator.parameters(seed=seed)
    rng = np.random.default_rng(seed)
    file = io.BytesIO()
    write_npz(file, arrange(generator.generate(parameters, rng), parameters, rng).by_name())
    return hashlib.sha256(file.getvalue()).hexdigest()


@pytest.mark.parametrize("generator", GENERATORS.values(), ids=GENERATORS.keys())
def test_same_parameters_and_seed_give_the_same_bytes(generator: AnyGenerator) -> None:
    """A dataset can be made again, byte for byte; with another seed it is another."""
    assert _artifact(generator, 5) == _artifact(generator, 5) != _artifact(generator, 6)


@pytest.mark.parametrize("generator", GENERATORS.values(), ids=GENERATORS.keys())
def test_generators_document_every_parameter(generator: AnyGenerator) -> None:
    """The schema that the dashboard builds its form from describes each field, and allows no other."""
    schema = generator.parameters.model_json_schema()
    assert schema["additionalProperties"] is False
    assert all("description" in field for field in schema["properties"].values())


def test_generators_stand_under_their_own_names() -> None:
    """The registry's keys are the generators' names."""
    assert {name: generator.name for name, generator in GENERATORS.items()} == {name: name for name in GENERATORS}
