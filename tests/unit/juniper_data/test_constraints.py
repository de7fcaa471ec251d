from datetime import UTC, datetime

import pytest

from juniper_common.wire.datasets import DatasetMeta, JsonObject
from juniper_common.wire.profiles import Constraints, DatasetProfile, FeatureProfile
from juniper_data.constraints import check
from juniper_data.errors import ConstraintError

PROFILE = DatasetProfile(
    features=(
        FeatureProfile(name="a", min=-2.5, max=3, mean=0, std=1, missing=4),
        FeatureProfile(name="b", min=7, max=7, mean=7, std=0, missing=1),
    ),
    class_balance={"0": 0.75, "1": 0.25},
    duplicates=3,
    leaked=2,
)
META = DatasetMeta(
    dataset_id="upload-1.0.0-0123456789abcdef",
    generator="upload",
    generator_version="1.0.0",
    params={},
    n_samples=40,
    n_features=2,
    n_classes=2,
    n_train=30,
    n_test=10,
    class_distribution={"0": 30, "1": 10},
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
    checksum="",
    profile=PROFILE,
)


@pytest.mark.parametrize(
    ("kept", "broken", "told"),
    [
        ({"min_samples": 40}, {"min_samples": 41}, "the number of samples is 40; at least 41 is wanted"),
        ({"max_samples": 40}, {"max_samples": 39}, "the number of samples is 40; at most 39 is wanted"),
        (
            {"min_class_share": 0.25},
            {"min_class_share": 0.26},
            "the share of the rarest class is 0.25; at least 0.26 is wanted",
        ),
        ({"max_duplicates": 3}, {"max_duplicates": 2}, "the number of duplicates is 3; at most 2 is wanted"),
        ({"max_leaked": 2}, {"max_leaked": 1}, "the number of leaked samples is 2; at most 1 is wanted"),
        ({"max_missing": 5}, {"max_missing": 4}, "the number of missing cells is 5; at most 4 is wanted"),
        ({"min_value": -2.5}, {"min_value": -2}, "the lowest value is -2.5; at least -2 is wanted"),
        ({"max_value": 7}, {"max_value": 6.5}, "the highest value is 7; at most 6.5 is wanted"),
        (
            {"no_constant_features": False},
            {"no_constant_features": True},
            "the number of constant features is 1; at most 0 is wanted",
        ),
    ],
)
def test_constraint_is_kept_up_to_its_figure_and_told_beyond(kept: JsonObject, broken: JsonObject, told: str) -> None:
    """The figure itself is allowed; past it the error names the constraint, what was found and what is wanted."""
    check(Constraints.model_validate(kept), META)
    with pytest.raises(ConstraintError) as refused:
        check(Constraints.model_validate(broken), META)
    assert [(problem.loc, problem.msg) for problem in refused.value.problems] == [(["constraints", *broken], told)]


def test_every_broken_constraint_is_named() -> None:
    """Whoever demands several things learns of all that are missing at once."""
    with pytest.raises(ConstraintError) as refused:
        check(Constraints(min_samples=1000, max_leaked=0, max_value=10), META)
    assert [problem.loc[1] for problem in refused.value.problems] == ["min_samples", "max_leaked"]


@pytest.mark.parametrize("name", ["max_duplicates", "max_leaked"])
def test_figure_that_nobody_counted_keeps_no_constraint(name: str) -> None:
    """What is too large to look for duplicates in is not known to have few."""
    profile = PROFILE.model_copy(update={"duplicates": None, "leaked": None})
    with pytest.raises(ConstraintError, match=f"constraints.{name}: .* is not known; at most 9 is wanted"):
        check(Constraints.model_validate({name: 9}), META.model_copy(update={"profile": profile}))


@pytest.mark.parametrize(
    "constraints",
    [
        {"max_duplicates": 9},
        {"max_leaked": 9},
        {"max_missing": 9},
        {"min_value": -9},
        {"max_value": 9},
        {"no_constant_features": True},
    ],
)
def test_dataset_without_profile_keeps_no_constraint_about_its_data(constraints: JsonObject) -> None:
    """A dataset that an earlier release made is not taken for what it may not be."""
    with pytest.raises(ConstraintError, match="is not known"):
        check(Constraints.model_validate(constraints), META.model_copy(update={"profile": None}))


def test_regression_has_no_share_of_a_class() -> None:
    """A demand about classes is not kept where there are none."""
    with pytest.raises(ConstraintError, match="rarest class is not known"):
        check(Constraints(min_class_share=0), META.model_copy(update={"class_distribution": {}}))
