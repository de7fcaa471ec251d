"""What can go wrong with datasets.

    DataError
    ├── UnknownGeneratorError     no generator of that name
    ├── InvalidParametersError    the generator refuses its parameters; names each field
    ├── DatasetNotFoundError      no dataset of that id
    └── StoreError                the store cannot do it now (full, read-only, gone)
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


class DatasetNotFoundError(DataError):
    """No dataset has this id."""

    def __init__(self, dataset_id: str) -> None:
        super().__init__(f"dataset {dataset_id!r} not found")
        self.dataset_id = dataset_id


class StoreError(DataError):
    """The store cannot do what was asked; nothing changed."""


class DatasetDamagedError(StoreError):
    """A stored dataset is not what was written."""

    def __init__(self, dataset_id: str, reason: str) -> None:
        super().__init__(f"dataset {dataset_id!r} is damaged ({reason}); delete it and create it again")
        self.dataset_id = dataset_id
