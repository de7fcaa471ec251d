"""Datasets of collections, made as the service makes them, but in this process."""

import tempfile
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
from juniper_data.imports.reading import read_collection
from juniper_data.imports.refusals import ABOUT_FILE
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
        self.importer = Importer(self.folder, 250, folder, hub)

    def make(self, **parameters: Any) -> tuple[Facts, Arrays]:
        """The facts and the arrays of a dataset."""
        asked = self.source.parameters(**parameters)
        found = self.importer.find(self.source, asked)
        with tempfile.TemporaryFile() as file, tempfile.TemporaryFile() as artifact:
            parts = found.copy_to(file)
            file.flush()
            facts = read_collection(file, parts, asked, self.folder.parent, artifact)
            artifact.seek(0)
            with np.load(artifact, allow_pickle=False) as arrays:
                return facts, {name: arrays[name] for name in arrays.files}

    def refusal(self, **parameters: Any) -> tuple[list[str | int], str]:
        """What is said of files that are refused: what it is about, and the message."""
        with pytest.raises(InvalidParametersError) as refused:
            self.make(**parameters)
        (problem,) = refused.value.problems
        return ["file"] if problem.loc == ABOUT_FILE else problem.loc, problem.msg


Change = Callable[[bytes], bytes]
