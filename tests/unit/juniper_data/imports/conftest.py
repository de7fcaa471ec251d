import io
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pytest
from numpy.typing import NDArray

from juniper_data.errors import InvalidParametersError
from juniper_data.imports.parameters import UploadParameters
from juniper_data.imports.reading import read
from juniper_data.making import Facts


@dataclass(frozen=True)
class Result:
    """What came of a file."""

    facts: Facts
    artifact: bytes

    @property
    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """The artifact's arrays."""
        with np.load(io.BytesIO(self.artifact), allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}


class ReadContent(Protocol):
    """A file's content and its parameters in, a dataset out."""

    def __call__(self, content: bytes | str, name: str = "", **parameters: Any) -> Result:
        """Read it in this process."""
        ...


@pytest.fixture
def read_content(tmp_path: Path) -> ReadContent:
    """Reads a file as the child process does; without a shuffle, unless told to."""

    def read_it(content: bytes | str, name: str = "", **parameters: Any) -> Result:
        path = tmp_path / "file"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        asked = UploadParameters(**{"shuffle": False} | parameters)
        with path.open("rb") as file, tempfile.TemporaryFile(dir=tmp_path) as artifact:
            facts = read(file, name, asked, tmp_path, artifact)
            artifact.seek(0)
            return Result(facts, artifact.read())

    return read_it


Refusal = Callable[..., tuple[list[str | int], str]]


@pytest.fixture
def refusal(read_content: ReadContent) -> Refusal:
    """What is said of a file that is refused: the field it is about, and the message."""

    def refusal_of(content: bytes | str, name: str = "", **parameters: Any) -> tuple[list[str | int], str]:
        with pytest.raises(InvalidParametersError) as refused:
            read_content(content, name, **parameters)
        problem = refused.value.problems[0]
        return problem.loc, problem.msg

    return refusal_of
