"""What can go wrong with datasets.

    DataError
    ├── UnknownGeneratorError     no generator of that name
    ├── InvalidParametersError    the generator refuses its parameters; names each field
    │   ├── UnreadableFileError   a file is not what it is said to be; names row and column
    │   └── ConstraintError       the data is not as the request demands; names each constraint
    ├── GeneratorError            a generator failed, or what it made is no dataset: a mistake in its code
    ├── KeyReusedError            an idempotency key that stands for another request
    ├── BusyError                 too many wait for datasets already
    ├── GivenUpError              a job of before the last start that cannot be gone on with
    ├── HubError                  the hub does not give what a dataset is made of
    ├── DatasetNotFoundError      no dataset of that id
    └── StoreError                the store cannot do it now (read-only, gone)
        ├── StoreAwayError        the server that it keeps datasets in does not answer, and may do so later
        ├── StoreFullError        there is no room
        │   └── QuotaExceededError  … since no more was allowed
        ├── VersionTakenError     another dataset has that number of that name
        └── DatasetDamagedError   what was read is not what was written

The app translates them to HTTP, once.
"""

from juniper_common.wire.errors import FieldProblem


class DataError(Exception):
    """The root of this package's errors."""


class UnknownGeneratorError(DataError):
    """No generator has this name."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(f"unknown generator {name!r}; there are: {', '.join(known)}")
        self.name = name


class InvalidParametersError(DataError):
    """The generator refuses its parameters; each problem's `loc` starts at the params."""

    def __init__(self, problems: tuple[FieldProblem, ...]) -> None:
        super().__init__("; ".join(f"{problem.path}: {problem.msg}" for problem in problems))
        self.problems = problems


class UnreadableFileError(InvalidParametersError):
    """A file is not what it is said to be, or has a cell that is no number."""


class ConstraintError(InvalidParametersError):
    """The data is not as the request demands; each problem's `loc` starts at the constraints."""


class GeneratorError(DataError):
    """A generator failed at parameters that it had accepted, or what it made is no dataset: a mistake in its code."""

    def __init__(self, name: str, error: Exception) -> None:
        super().__init__(f"the generator {name!r} is broken: {type(error).__name__}: {error}")


class KeyReusedError(DataError):
    """An idempotency key came with another request than before."""

    def __init__(self, key: str) -> None:
        super().__init__(f"the Idempotency-Key {key!r} was used for another request; take a new one")


class BusyError(DataError):
    """Too many wait for datasets to be made, or send files."""


class GivenUpError(DataError):
    """A job of before the last start cannot be gone on with."""


class HubError(DataError):
    """The hub does not give what a dataset is made of."""


class DatasetNotFoundError(DataError):
    """No dataset has this id."""

    def __init__(self, dataset_id: str) -> None:
        super().__init__(f"dataset {dataset_id!r} not found")
        self.dataset_id = dataset_id


class StoreError(DataError):
    """The store cannot do what was asked; nothing changed."""


class StoreAwayError(StoreError):
    """The server behind the store does not answer now. What was asked may have been done, and may be asked again."""


class StoreFullError(StoreError):
    """There is no room for what was asked; nothing changed."""


class QuotaExceededError(StoreFullError):
    """The store may not hold as much."""


class VersionTakenError(StoreError):
    """Another dataset has that number of that name."""

    def __init__(self, name: str, version: int) -> None:
        super().__init__(f"version {version} of {name!r} is another dataset")


class DatasetDamagedError(StoreError):
    """A stored dataset is not what was written."""

    def __init__(self, dataset_id: str, reason: str) -> None:
        super().__init__(f"dataset {dataset_id!r} is damaged ({reason}); delete it and create it again")
        self.dataset_id = dataset_id
