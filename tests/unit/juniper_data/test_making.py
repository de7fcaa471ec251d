import hashlib
import math

import numpy as np
import pytest
from pydantic import BaseModel

from juniper_common.wire.errors import FieldProblem
from juniper_data.errors import GeneratorError, InvalidParametersError
from juniper_data.generators import AnyGenerator, Generator, GeneratorParameters, LabelledPoints, generators
from juniper_data.generators.parity import PARITY
from juniper_data.making import Facts, generated

X = np.arange(8.0).reshape(4, 2)
LABELS = np.array([0, 1, 0, 1])


def _facts(generator: AnyGenerator, **params: object) -> Facts:
    with generated(generator, generator.parameters.model_validate(params)) as made:
        return made.facts


def _giving(points: LabelledPoints) -> AnyGenerator:
    """A generator that gives these points."""
    return Generator("own", "1.0.0", "Somebody's own", GeneratorParameters, lambda _, __: points)


def test_facts_are_those_of_the_artifact() -> None:
    """What is said of the data is what the artifact holds, and the artifact is open at its start."""
    parameters = PARITY.parameters(n_bits=4, train_ratio=0.5, test_ratio=0.25, val_ratio=0.25)
    with generated(PARITY, parameters) as made:
        content = made.artifact.read()
        made.artifact.seek(0)
        with np.load(made.artifact, allow_pickle=False) as arrays:
            lengths = {name: len(arrays[name]) for name in arrays.files}
            distribution = arrays["y_full"].sum(axis=0).tolist()
    facts = made.facts
    assert (facts.checksum, facts.size_bytes) == (hashlib.sha256(content).hexdigest(), len(content))
    assert (lengths["X_full"], lengths["X_train"], lengths["y_test"], lengths["y_val"]) == (16, 8, 4, 4)
    assert (facts.n_samples, facts.n_train, facts.n_test, facts.n_val) == (16, 8, 4, 4)
    assert (facts.n_features, facts.n_classes, facts.class_distribution) == (4, 2, {"0": 8, "1": 8})
    assert distribution == [8, 8]


@pytest.mark.parametrize("generator", generators().values(), ids=generators().keys())
def test_same_parameters_and_seed_give_the_same_bytes(generator: AnyGenerator) -> None:
    """A dataset can be made again, byte for byte; with another seed it is another."""
    assert _facts(generator, seed=5) == _facts(generator, seed=5)
    assert _facts(generator, seed=5).checksum != _facts(generator, seed=6).checksum


def test_profile_is_of_the_whole_set_and_knows_what_is_trained_on() -> None:
    """A sample that stands both among those to train on and the others is a duplicate, and leaked."""
    points = LabelledPoints(np.array([[1.0], [2.0], [3.0], [2.0]]), LABELS, 2, feature_names=("size",))
    facts = _facts(_giving(points), train_ratio=0.5, test_ratio=0.5, shuffle=False)
    assert (facts.profile.duplicates, facts.profile.leaked) == (1, 1)
    (feature,) = facts.profile.features
    assert (feature.name, feature.min, feature.max, feature.mean, feature.std) == ("size", 1, 3, 2, math.sqrt(0.5))
    assert facts.profile.class_balance == {"0": 0.5, "1": 0.5}


def test_what_no_split_has_is_not_leaked() -> None:
    """A sample that is left out of all splits is a duplicate of one to train on, but tests nothing."""
    points = LabelledPoints(np.array([[1.0], [2.0], [3.0], [2.0]]), LABELS, 2)
    facts = _facts(_giving(points), train_ratio=0.5, test_ratio=0.25, shuffle=False)
    assert (facts.profile.duplicates, facts.profile.leaked) == (1, 0)


@pytest.mark.parametrize(
    ("points", "told"),
    [
        (None, "no attribute 'check'"),
        (LabelledPoints(X[0], LABELS, 2), r"X must be numbers \[samples, features\], not float64 of shape \(2,\)"),
        (LabelledPoints(np.empty((0, 2)), LABELS[:0], 2), r"not float64 of shape \(0, 2\)"),
        (LabelledPoints(X.astype(object), LABELS, 2), "not object"),
        (
            LabelledPoints(X, LABELS[:3], 2),
            r"4 signed whole numbers, one a sample, not int64 of shape \(3,\)",
        ),
        (LabelledPoints(X, LABELS.astype(float), 2), "not float64"),
        (LabelledPoints(X, LABELS.astype(np.uint64), 2), "not uint64"),
        (LabelledPoints(X, LABELS, 1), "labels must be from 0 to n_classes − 1 = 0, not 0 to 1"),
        (LabelledPoints(X, LABELS - 1, 2), "not -1 to 0"),
        (LabelledPoints(X * math.nan, LABELS, 2), "infinite, NaN or too large"),
        (LabelledPoints(X + np.array([0, math.inf]), LABELS, 2), "infinite, NaN or too large"),
        (LabelledPoints(X * 1e38, LABELS, 2), "too large for float32"),
        (LabelledPoints(X, LABELS, 2, feature_names=("one",)), "1 names for 2"),
        (LabelledPoints(X, LABELS, 2, class_names=("a", "b", "c")), "3 names for 2"),
        (LabelledPoints(X, LABELS, 5_000_000), r"at most 20,000,000 numbers"),
        (LabelledPoints(np.zeros((1_000_001, 1)), np.zeros(1_000_001, int), 1), "at most 1,000,000 samples"),
    ],
)
def test_generator_that_gives_no_dataset_is_named(points: LabelledPoints, told: str) -> None:
    """A mistake in somebody's generator is one clear error that names it, and nothing is stored of it."""
    with pytest.raises(GeneratorError, match=f"the generator 'own' is broken: .*{told}"):
        _facts(_giving(points))


def test_generator_that_fails_is_named() -> None:
    """Whatever a generator raises is told as its mistake, with the cause."""

    def fail(_: BaseModel, __: np.random.Generator) -> LabelledPoints:
        raise ZeroDivisionError

    with pytest.raises(GeneratorError, match="the generator 'own' is broken: ZeroDivisionError") as failed:
        _facts(Generator("own", "1.0.0", "Somebody's own", GeneratorParameters, fail))
    assert isinstance(failed.value.__cause__, ZeroDivisionError)


def test_generator_may_refuse_parameters_late() -> None:
    """A generator that finds its parameters wrong while it works says which, and that is no mistake of its own."""

    def refuse(_: BaseModel, __: np.random.Generator) -> LabelledPoints:
        raise InvalidParametersError((FieldProblem(loc=["params", "seed"], msg="not this one"),))

    with pytest.raises(InvalidParametersError, match=r"params\.seed: not this one"):
        _facts(Generator("own", "1.0.0", "Somebody's own", GeneratorParameters, refuse))
