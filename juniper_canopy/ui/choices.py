"""What the form can start: generated datasets and those that the data service keeps."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from juniper_common.wire.datasets import DatasetMeta
from juniper_common.wire.training import DatasetSource, RunParameters, StartTraining

DEMO = "demo spiral"
_STORED = "stored:"


@dataclass(frozen=True, slots=True)
class Generated:
    """A dataset made by a generator."""

    label: str
    generator: str
    params: dict[str, JsonValue]


GENERATED = {
    DEMO: Generated(
        "Demo spiral, 2 × 200",
        "spiral",
        {"n_spirals": 2, "n_points_per_spiral": 200, "noise": 0.15, "seed": 42},
    ),
    "cmu spirals": Generated("CMU two spirals", "cmu_spirals", {}),
    "xor": Generated("XOR, 4 × 50", "xor", {"seed": 42}),
}


def options(kept: Sequence[DatasetMeta]) -> dict[str, str]:
    """The select's keys and labels."""
    made = {key: choice.label for key, choice in GENERATED.items()}
    return made | {stored(meta.dataset_id): _label(meta) for meta in kept}


def stored(dataset_id: str) -> str:
    """A stored dataset's key."""
    return _STORED + dataset_id


def start_request(
    dataset: str,
    *,
    seed: int | None,
    pace: float | None,
    **parameters: float | None,
) -> StartTraining:
    """The form as a request, with engine parameters by their own names. Raises ValidationError.

    Empty fields are left out: the engine has measured defaults.
    """
    given = {"seed": seed, **parameters}
    params = {name: value for name, value in given.items() if value is not None}
    return StartTraining(
        dataset=_source(dataset), params=RunParameters.model_validate({"pace": pace, **params}), start_fresh=True
    )


def _source(choice: str) -> DatasetSource:
    if choice.startswith(_STORED):
        return DatasetSource(source="generator", dataset_id=choice.removeprefix(_STORED))
    made = GENERATED[choice]
    return DatasetSource(source="generator", generator=made.generator, params=made.params)


def _label(meta: DatasetMeta) -> str:
    name = meta.dataset_name or meta.generator.replace("_", " ")
    return f"{name}, {meta.n_samples} patterns ({meta.dataset_id.rsplit('-', 1)[-1][:6]})"
