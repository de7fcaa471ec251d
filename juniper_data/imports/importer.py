"""Makes datasets of files, each in a process of its own: what a hostile file does to it, it does to nothing else.

The file and the artifact are shared by their descriptors, and all files in between have no name: whatever dies and
when, nothing is left behind.
"""

import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from threading import BoundedSemaphore
from typing import IO, Any, BinaryIO, TypeVar, cast

import juniper_data
from juniper_common.wire.errors import FieldProblem
from juniper_data.errors import StoreFullError, UnreadableFileError
from juniper_data.generators.base import GeneratorParameters
from juniper_data.imports.arc_agi import ARC_AGI, ArcAgiParameters
from juniper_data.imports.collection import Collection, CollectionParameters, CollectionSource, Part, Places
from juniper_data.imports.hub import Hub
from juniper_data.imports.import_folder import open_inside
from juniper_data.imports.mnist import MNIST, MnistParameters
from juniper_data.imports.parameters import CsvImportParameters, ImportParameters
from juniper_data.imports.refusals import ABOUT_FILE, refused
from juniper_data.imports.task import ImportAnswer, ImportTask
from juniper_data.making import Made

MAX_CHILDREN = 2
"""So many files are read at once; further ones wait for their turn."""

_LOGGED = 2000

# One thread each: there are other processes to leave the cores to. The system's allocator, since others reserve
# more memory than the child may have; it is told to give back what is no longer used.
_ENVIRONMENT = {
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": "65536",
    "MALLOC_TRIM_THRESHOLD_": "131072",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONPATH": str(Path(juniper_data.__file__).parents[1]),
}

log = logging.getLogger(__name__)

P = TypeVar("P", bound=CollectionParameters)

COLLECTIONS: tuple[CollectionSource[Any], ...] = (ARC_AGI, MNIST)


class Importer:
    """Reads files.

    Args:
        folder: the only one that files are found in.
        timeout_s: a file that takes longer is refused.
        scratch: a folder whose disk has room for a few times a file; None: the system's for temporary files.
        hub: where collections are fetched from that are not in the folder; None: nowhere.
    """

    def __init__(self, folder: Path, timeout_s: float, scratch: Path | None = None, hub: Hub | None = None) -> None:
        self._folder = folder
        self._places = Places(folder, hub)
        self._timeout_s = timeout_s
        self._scratch = scratch or Path(tempfile.gettempdir())
        self._turns = BoundedSemaphore(MAX_CHILDREN)

    def open(self, file_path: str) -> BufferedReader:
        """A file of the import folder.

        Raises:
            UnreadableFileError: there is no such file, or the path leads out of the folder. Names `params.file_path`.
        """
        return open_inside(self._folder, file_path)

    def find(self, source: CollectionSource[P], parameters: P) -> Collection:
        """The files of a collection.

        Raises:
            UnreadableFileError: they are not there, or cannot be read.
            HubError: the hub does not tell of them.
        """
        try:
            return source.find(parameters, self._places)
        except UnreadableFileError as error:
            raise _error(error.problems, parameters) from None

    def lacks(self, source: CollectionSource[Any]) -> str | None:
        """What is missing to make a dataset of a collection; asks no network."""
        try:
            return source.lacks(self._places)
        except UnreadableFileError as error:
            return f"its folder in {self._folder} {error.problems[0].msg}"

    @contextmanager
    def made(self, file: BufferedReader, sha256: str, parameters: ImportParameters) -> Iterator[Made]:
        """The dataset that a file holds; its artifact is gone at the end of the `with`.

        Raises:
            UnreadableFileError: the file is not what it is said to be, or changed while it was read.
            StoreFullError: the scratch folder's disk is full.
        """
        name = parameters.file_path if isinstance(parameters, CsvImportParameters) else ""
        with self._made(file, parameters, sha256=sha256, name=name) as made:
            yield made

    @contextmanager
    def made_of(self, collection: Collection, parameters: MnistParameters | ArcAgiParameters) -> Iterator[Made]:
        """The dataset that a collection holds; see `made`. Raises HubError where the hub does not give a file."""
        with tempfile.TemporaryFile(dir=self._scratch) as file:
            try:
                parts = collection.copy_to(file)
            except UnreadableFileError as error:
                raise _error(error.problems, parameters) from None
            file.flush()
            with self._made(file, parameters, parts=parts, name=parts[0].name) as made:
                yield made

    @contextmanager
    def _made(
        self,
        file: IO[bytes],
        parameters: ImportParameters | MnistParameters | ArcAgiParameters,
        *,
        name: str,
        sha256: str = "",
        parts: tuple[Part, ...] = (),
    ) -> Iterator[Made]:
        with tempfile.TemporaryFile(dir=self._scratch) as artifact:
            task = ImportTask(
                parent=os.getpid(),
                file=file.fileno(),
                sha256=sha256,
                name=name,
                parts=parts,
                artifact=artifact.fileno(),
                scratch=self._scratch,
                parameters=parameters,
            )
            answer = self._answer(task)
            if answer.no_room:
                raise StoreFullError(answer.no_room)
            if answer.facts is None:
                raise _error(answer.problems, parameters)
            artifact.seek(0)
            yield Made(cast("BinaryIO", artifact), answer.facts)

    def _answer(self, task: ImportTask) -> ImportAnswer:
        with self._turns:
            code, output, errors = self._run(task)
        if code == 0:
            return ImportAnswer.model_validate_json(output)
        if code is None:
            message = f"takes longer than {self._timeout_s:g} s to read; JUNIPER_DATA_IMPORT_TIMEOUT_S allows more"
        else:
            message = "could not be read; a row or a cell of it may take more memory than there is"
            log.error(
                "reading %r ended with %d: %s",
                task.name or "an upload",
                code,
                errors[-_LOGGED:].decode(errors="replace"),
            )
        return ImportAnswer(problems=refused(message).problems)

    def _run(self, task: ImportTask) -> tuple[int | None, bytes, bytes]:
        """The child's exit status (None: it took too long), what it said, and what it complained of."""
        command = [sys.executable, "-s", "-P", "-m", "juniper_data.imports"]
        with subprocess.Popen(  # noqa: S603 - no shell, and nothing in it that anybody else says
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=(task.file, task.artifact),
            env=_ENVIRONMENT,
        ) as child:
            try:
                output, errors = child.communicate(task.model_dump_json().encode(), self._timeout_s)
            except subprocess.TimeoutExpired:
                return None, b"", b""
            finally:
                child.kill()
        return child.returncode, output, errors


def _error(problems: tuple[FieldProblem, ...], parameters: GeneratorParameters) -> UnreadableFileError:
    """What is wrong with a file that no parameter names is wrong with no parameter."""
    if not isinstance(parameters, CsvImportParameters):
        problems = tuple(
            problem.model_copy(update={"loc": ["file"]}) if problem.loc == ABOUT_FILE else problem
            for problem in problems
        )
    return UnreadableFileError(problems)
