"""What the service and its child process tell each other, as JSON."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from juniper_common.wire.errors import FieldProblem
from juniper_data.imports.arc_agi import ArcAgiParameters
from juniper_data.imports.collection import Part
from juniper_data.imports.mnist import MnistParameters
from juniper_data.imports.parameters import ImportParameters
from juniper_data.making import Facts


class ImportTask(BaseModel):
    """A file to read, or one that holds those of a collection. The descriptors are open in the child."""

    model_config = ConfigDict(frozen=True)

    parent: int
    file: int
    sha256: str = ""
    name: str = ""
    parts: tuple[Part, ...] = ()
    artifact: int
    scratch: Path
    parameters: ImportParameters | MnistParameters | ArcAgiParameters


class ImportAnswer(BaseModel):
    """What came of it: the facts of the artifact, or why there is none."""

    model_config = ConfigDict(frozen=True)

    facts: Facts | None = None
    problems: tuple[FieldProblem, ...] = ()
    no_room: str | None = None
