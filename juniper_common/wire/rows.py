"""Rows of numbers in a request: of all that is wrong with them the first is named, not millions of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import (
    BaseModel,
    ConfigDict,
    FailFast,
    Field,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
)

Finite = Annotated[float, Field(allow_inf_nan=False)]
Row = Annotated[list[Finite], Field(min_length=1), FailFast()]
Rows = Annotated[list[Row], Field(min_length=1), FailFast()]
Values = Annotated[list[Finite], Field(min_length=1), FailFast()]

Table = list[list[float]] | list[float]

ROWS: TypeAdapter[Table] = TypeAdapter(Rows)
VALUES: TypeAdapter[Table] = TypeAdapter(Values)


class RowsRequest(BaseModel):
    """A request that may bring rows, and be as large as the service allows for these."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass
class TablesRead:
    """Tables that were read before the body that they stood in: the context in which its rest is validated."""

    tables: Mapping[str, Table | ValidationError]
    """By the string that stands for each of them; an error for one that is wrong."""
    taken: set[str] = field(default_factory=set)

    def take(self, mark: str) -> Table:
        """The table that the string stands for. Raises the error of a wrong one."""
        self.taken.add(mark)
        table = self.tables[mark]
        if isinstance(table, ValidationError):
            raise table
        return table


def _rows(value: object, _: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Table:
    return _table(value, ROWS, info)


def _rows_or_values(value: object, _: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Table:
    # By the first of them: a union would name what is wrong once for each of its members.
    are_values = isinstance(value, list) and bool(value) and not isinstance(value[0], list)
    return _table(value, VALUES if are_values else ROWS, info)


def _table(value: object, adapter: TypeAdapter[Table], info: ValidationInfo) -> Table:
    if isinstance(info.context, TablesRead) and isinstance(value, str) and value in info.context.tables:
        return info.context.take(value)
    return adapter.validate_python(value, strict=info.mode == "json")


Matrix = Annotated[list[list[float]], WrapValidator(_rows), WithJsonSchema(ROWS.json_schema())]
"""A row for each pattern."""

Targets = Annotated[
    Table,
    WrapValidator(_rows_or_values),
    WithJsonSchema({"anyOf": [ROWS.json_schema(), VALUES.json_schema()]}),
]
"""A row or a number for each pattern."""
