"""Datasets of collections, made as the service makes them."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from juniper_data.errors import InvalidParametersError
from juniper_data.imports.collection import CollectionSource
from juniper_data.imports.hub import Hub
from juniper_data.imports.importer import Importer
from juniper_data.making import Facts

Arrays = dict[str, NDArray[Any]]


class Collecting:
    """Makes datasets of the files in a folder.

    Args:
        source: mnist or arc_agi.
        folder: a new one.
        hub: where files come from that are not there.
    """

    def __init__(self, source: CollectionSource[Any], folder: Path, hub: Hub | None = None) -> None:
        self.source = source
        self.folder = folder / "import"
        self.folder.mkdir()
        self.importer = Importer(self.folder, 60, folder, hub)

    def make(self, **parameters: Any) -> tuple[Facts, Arrays]:
        """The facts and the arrays of a dataset."""
        asked = self.source.parameters(**parameters)
        found = self.importer.find(self.source, asked)
        with (
            self.importer.made_of(found, asked) as made,
            np.load(io.BytesIO(made.artifact.read()), allow_pickle=False) as arrays,
        ):
            return made.facts, {name: arrays[name] for name in arrays.files}

    def refusal(self, **parameters: Any) -> tuple[list[str | int], str]:
        """What is said of files that are refused: what it is about, and the message."""
        with pytest.raises(InvalidParametersError) as refused:
            self.make(**parameters)
        (problem,) = refused.value.problems
        return problem.loc, problem.msg


Change = Callable[[bytes], bytes]
