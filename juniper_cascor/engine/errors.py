"""What the engine refuses, as errors that say which value is wrong.

EngineError
├── ParameterError   a parameter out of its bounds
├── DataError        patterns that cannot be trained on
├── StateError       a saved state that does not belong to this data, or is incomplete
├── EditError        a change of a network that would leave none
└── DeviceError      a GPU that cannot be trained on, or no longer
    └── DeviceMemoryError   it has no room for this
"""


class EngineError(ValueError):
    """Root of the engine's errors: the caller gave something that cannot be trained with."""


class ParameterError(EngineError):
    """A parameter is out of its bounds.

    Attributes:
        field: The name of the parameter.
        message: What is wrong with it, without the name.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


class DataError(EngineError):
    """The patterns cannot be trained on.

    Attributes:
        array: Which array: ``x``, ``y``, ``x_val`` or ``y_val``.
        row: The first wrong pattern, counted from 0, where one pattern is to blame.
        column: The first wrong column in it, counted from 0, where one value is to blame.
    """

    def __init__(self, array: str, message: str, *, row: int | None = None, column: int | None = None) -> None:
        place = "" if row is None else f" row {row}" if column is None else f" row {row}, column {column}"
        super().__init__(f"{array}{place}: {message}")
        self.array = array
        self.row = row
        self.column = column


class StateError(EngineError):
    """A saved state is incomplete, or belongs to other data."""


class EditError(EngineError):
    """A network cannot be changed like this.

    Attributes:
        place: The argument that is wrong, and where in it, outermost first.
        message: What is wrong there, without the place.
    """

    def __init__(self, place: tuple[str | int, ...], message: str) -> None:
        super().__init__(f"{'.'.join(map(str, place))}: {message}")
        self.place = place
        self.message = message


class DeviceError(EngineError):
    """A GPU cannot be trained on: it or its libraries are not there, or it was lost in a training."""


class DeviceMemoryError(DeviceError):
    """A GPU has no room for what is trained."""
