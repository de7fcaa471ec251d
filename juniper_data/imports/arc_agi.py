"""ARC-AGI: puzzles of coloured grids, each a few pairs of what is given and what it becomes (Chollet 2019)."""

from typing import Literal, Self

from pydantic import Field, model_validator

from juniper_data.imports.collection import Collection, CollectionParameters, CollectionSource, Places, on_hub
from juniper_data.imports.hub import INSTALL
from juniper_data.imports.refusals import refused

FOLDER = "arc_agi"
"""Inside the import folder, where no other is named."""

_ON_HUB = "lordspline/arc-agi"

Subset = Literal["training", "evaluation"]


class ArcAgiParameters(CollectionParameters):
    """Which tasks, and how their grids become numbers. Each pair of grids is a sample."""

    source: Literal["huggingface", "local"] = Field("huggingface", description="The hub, or the import folder")
    local_path: str | None = Field(
        None,
        min_length=1,
        max_length=1000,
        title="Folder",
        description=f"Of the files where they are local, relative to the import folder; null: {FOLDER}",
    )
    subset: Literal["training", "evaluation", "all"] = Field("training", description="Of the tasks")
    n_tasks: int | None = Field(None, ge=1, le=100_000, description="So many tasks, drawn by the seed; null: all")
    pad_to: int = Field(30, ge=1, le=50, title="Side", description="Height and width that every grid is padded to")
    pad_value: int = Field(-1, ge=-1, le=9, description="What it is padded with; colours are 0 to 9")
    include_test: bool = Field(True, title="Test pairs", description="Take the tasks' test pairs too")

    @model_validator(mode="after")
    def _path_is_of_local_files(self) -> Self:
        if self.local_path is not None and self.source != "local":
            raise ValueError("local_path is for source local")
        return self

    @property
    def subsets(self) -> tuple[Subset, ...]:
        """Those that are asked for."""
        return ("training", "evaluation") if self.subset == "all" else (self.subset,)


def challenges_file(subset: Subset) -> str:
    """The file that holds all tasks of a subset by their ids, but for what their test grids become."""
    return f"arc-agi_{subset}_challenges.json"


def solutions_file(subset: Subset) -> str:
    """The file that holds what the test grids become, by the ids of their tasks."""
    return f"arc-agi_{subset}_solutions.json"


def parquet_file(subset: Subset) -> str:
    """The file that holds a subset on the hub, a task in each row."""
    return f"{subset}-00000-of-00001.parquet"


def _find(p: ArcAgiParameters, places: Places) -> Collection:
    if p.source == "huggingface":
        if places.hub is None:
            raise refused(f"huggingface needs a library that is not there: {INSTALL}; or take source local", "source")
        return on_hub(places.hub, _ON_HUB, [f"data/{parquet_file(subset)}" for subset in p.subsets])
    folder = p.local_path or FOLDER
    names = []
    for subset in p.subsets:
        if not (of_subset := _files(places, folder, subset)):
            raise refused(f"there is no {subset} in the folder; {_wanted(places, folder, subset)}", "local_path")
        names += of_subset
    return places.local(folder, names)


def _files(places: Places, folder: str, subset: Subset) -> list[str]:
    """The files of a subset: one for each task, or one or two for all."""
    tasks = sorted(name for name in places.names(f"{folder}/{subset}") if name.endswith(".json"))
    if tasks:
        return [f"{subset}/{name}" for name in tasks]
    here = places.names(folder)
    if challenges_file(subset) not in here:
        return []
    return [name for name in (challenges_file(subset), solutions_file(subset)) if name in here]


def _wanted(places: Places, folder: str, subset: str) -> str:
    files = f"{subset}/*.json, or arc-agi_{subset}_challenges.json and arc-agi_{subset}_solutions.json"
    return f"put {files}, into the folder {places.folder / folder}"


def _lacks(places: Places) -> str | None:
    if places.hub is not None or any(_files(places, FOLDER, subset) for subset in ("training", "evaluation")):
        return None
    return f"{_wanted(places, FOLDER, 'training')} (source local), or: {INSTALL}"


ARC_AGI = CollectionSource(
    name="arc_agi",
    version="1.0.0",
    description="ARC-AGI: pairs of coloured grids, the second to be predicted from the first",
    parameters=ArcAgiParameters,
    find=_find,
    lacks=_lacks,
)
