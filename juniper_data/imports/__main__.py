"""The child process: reads one file, bound in all that a hostile file could make it take.

Its task comes as JSON on standard input, its answer goes as JSON to standard output. It starts no process, opens
no connection, and ends with its parent.
"""

import contextlib
import errno
import os
import resource
import sys
from typing import TYPE_CHECKING

from juniper_data.imports.ending import end_with_parent

if TYPE_CHECKING:
    from juniper_data.imports.task import ImportAnswer, ImportTask

MEMORY_BYTES = 256 << 20
"""Of data, that is all memory but mapped libraries. A gigabyte passes in half of it."""

FILE_BYTES = 10 << 30
"""No file that it writes becomes larger."""


def main() -> None:
    """Read the task, answer."""
    _bind()
    # Arrow loads pandas where it is installed: 30 MB that nothing here needs.
    sys.modules["pandas"] = None  # type: ignore[assignment]
    from juniper_data.imports.task import ImportTask

    task = ImportTask.model_validate_json(sys.stdin.buffer.read())
    if os.getppid() != task.parent:
        return  # It died before this process was bound to it.
    sys.stdout.write(_answer(task).model_dump_json(exclude_defaults=True))
    sys.stdout.flush()
    # Arrow may still be reading ahead in a thread of its own, which does not survive an orderly end.
    os._exit(0)


def _bind() -> None:
    end_with_parent()
    # Where the unit's filter forbids it, the unit's CPUQuota= and the one reader at a time are what bounds it.
    with contextlib.suppress(PermissionError):
        os.nice(10)
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _answer(task: "ImportTask") -> "ImportAnswer":
    from juniper_data.errors import InvalidParametersError
    from juniper_data.imports.parameters import ImportParameters
    from juniper_data.imports.reading import read_collection, read_unchanged
    from juniper_data.imports.refusals import refused
    from juniper_data.imports.task import ImportAnswer

    asked = task.parameters
    try:
        with open(task.file, "rb") as file, open(task.artifact, "w+b") as artifact:  # noqa: PTH123 - descriptors
            if isinstance(asked, ImportParameters):
                facts = read_unchanged(file, task.sha256, task.name, asked, task.scratch, artifact)
            else:
                facts = read_collection(file, task.parts, asked, task.scratch, artifact)
        return ImportAnswer(facts=facts)
    except InvalidParametersError as error:
        return ImportAnswer(problems=error.problems)
    except MemoryError:
        message = f"takes more than {MEMORY_BYTES >> 20} MiB of memory to read: its rows or cells are too long"
        return ImportAnswer(problems=refused(message).problems)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return ImportAnswer(no_room=f"no room to read the file: {error.strerror}")
        if error.errno == errno.EFBIG:
            return ImportAnswer(problems=refused(f"makes more than {FILE_BYTES >> 30} GiB of itself").problems)
        raise


if __name__ == "__main__":
    main()
