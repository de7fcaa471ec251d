"""Whether data is as a request demands."""

from collections.abc import Iterator
from dataclasses import dataclass

from juniper_common.wire.datasets import DatasetMeta
from juniper_common.wire.errors import FieldProblem
from juniper_common.wire.profiles import Constraints, DatasetProfile
from juniper_data.errors import ConstraintError


def check(constraints: Constraints, meta: DatasetMeta) -> None:
    """Raises ConstraintError naming each constraint that the dataset does not keep.

    A figure that is not known keeps no constraint.
    """
    problems = tuple(
        FieldProblem(loc=["constraints", limit.constraint], msg=limit.told)
        for limit in _limits(constraints, meta)
        if not limit.is_kept
    )
    if problems:
        raise ConstraintError(problems)


@dataclass(frozen=True, slots=True)
class _Limit:
    """One constraint, and the figure that it is about."""

    constraint: str
    wanted: float | None
    found: float | None
    figure: str

    @property
    def is_kept(self) -> bool:
        if self.wanted is None:
            return True
        if self.found is None:
            return False
        return self.found >= self.wanted if self._is_lower else self.found <= self.wanted

    @property
    def told(self) -> str:
        found = "not known" if self.found is None else f"{self.found:.12g}"
        return f"{self.figure} is {found}; at {'least' if self._is_lower else 'most'} {self.wanted:.12g} is wanted"

    @property
    def _is_lower(self) -> bool:
        return self.constraint.startswith("min_")


def _limits(wanted: Constraints, meta: DatasetMeta) -> Iterator[_Limit]:
    n = meta.n_samples
    rarest = min(meta.class_distribution.values()) / n if meta.class_distribution else None
    yield _Limit("min_samples", wanted.min_samples, n, "the number of samples")
    yield _Limit("max_samples", wanted.max_samples, n, "the number of samples")
    yield _Limit("min_class_share", wanted.min_class_share, rarest, "the share of the rarest class")

    # What an earlier release made has no profile.
    profile = meta.profile or DatasetProfile(features=(), class_balance={}, duplicates=None, leaked=None)
    features = profile.features
    yield _Limit("max_duplicates", wanted.max_duplicates, profile.duplicates, "the number of duplicates")
    yield _Limit("max_leaked", wanted.max_leaked, profile.leaked, "the number of leaked samples")
    missing = sum(feature.missing for feature in features) if features else None
    yield _Limit("max_missing", wanted.max_missing, missing, "the number of missing cells")
    lowest = min((feature.min for feature in features if feature.min is not None), default=None)
    yield _Limit("min_value", wanted.min_value, lowest, "the lowest value")
    highest = max((feature.max for feature in features if feature.max is not None), default=None)
    yield _Limit("max_value", wanted.max_value, highest, "the highest value")
    constant = sum(feature.min == feature.max for feature in features) if features else None
    most_constant = 0 if wanted.no_constant_features else None
    yield _Limit("no_constant_features", most_constant, constant, "the number of constant features")
