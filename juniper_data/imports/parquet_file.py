"""Reads Parquet, one column of one row group at a time: a wide file takes no more memory than a narrow one."""

import re
from collections.abc import Sequence
from io import BufferedReader
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from juniper_data.imports.parameters import ImportParameters
from juniper_data.imports.refusals import refused, shown
from juniper_data.imports.rows_file import ColumnsFile, Scratch, check_size
from juniper_data.imports.table import Samples, Table

if TYPE_CHECKING:
    import pyarrow
    from pyarrow.parquet import ParquetFile

_BATCH_ROWS = 1 << 16
_BUFFER_BYTES = 1 << 18
# Of the names and figures in the footer, together and each.
_MAX_FOOTER_STRING = 16 << 20
_MAX_FOOTER_ITEMS = 1_000_000


def read_parquet(file: BufferedReader, parameters: ImportParameters, scratch: Scratch) -> Samples:
    """The samples of a Parquet file.

    Raises:
        UnreadableFileError: names the row (from 1) and the column.
    """
    import pyarrow as pa
    from pyarrow import parquet

    try:
        source = parquet.ParquetFile(
            file,
            # With a buffer, a column chunk is read page by page and not at once.
            buffer_size=_BUFFER_BYTES,
            thrift_string_size_limit=_MAX_FOOTER_STRING,
            thrift_container_size_limit=_MAX_FOOTER_ITEMS,
        )
        table = Table(source.schema_arrow.names, parameters, scratch)
        if parameters.feature_columns is None:
            _refuse_index(table.features)
        _check_types(source.schema_arrow, table)
        check_size(source.metadata.num_rows, table.rows.width)
        return _samples(source, table, scratch)
    except (pa.ArrowException, OSError, EOFError) as error:
        # Arrow says with OSError what it finds wrong in a file; the disk's own errors have a number.
        if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno):
            raise
        raise refused(f"is no Parquet that can be read: {str(error).splitlines()[0][:200]}") from None


def _refuse_index(features: Sequence[str]) -> None:
    """Row numbers that pandas wrote are no feature: of sorted rows they tell the class."""
    for name in features:
        if re.fullmatch(r"__index_level_\d+__", name, re.ASCII):
            message = f"column {shown(name)} is a pandas index; write it with index=False, or choose feature_columns"
            raise refused(message)


def _check_types(schema: "pyarrow.Schema", table: Table) -> None:
    from pyarrow import types

    for name in table.features if table.is_classification else table.columns:
        kind = schema.field(name).type
        if not _is_number(kind):
            raise refused(f"column {shown(name)} holds {kind}; only numbers and booleans can be features")
    kind = schema.field(table.label).type
    plain = kind.value_type if types.is_dictionary(kind) else kind
    texts = (types.is_string, types.is_large_string, types.is_string_view)
    if not _is_number(plain) and not any(is_text(plain) for is_text in texts):
        raise refused(f"holds {kind}; only texts, numbers and booleans can be labels", "label_column")


def _is_number(kind: "pyarrow.DataType") -> bool:
    from pyarrow import types

    return any(is_kind(kind) for is_kind in (types.is_integer, types.is_floating, types.is_boolean, types.is_decimal))


def _samples(source: "ParquetFile", table: Table, scratch: Scratch) -> Samples:
    columns = ColumnsFile(scratch, 0, np.dtype(np.float64))
    first_row = 1
    for group in range(source.num_row_groups):
        n = source.metadata.row_group(group).num_rows
        columns.rewind(n)
        for name in table.columns:
            row = first_row
            for batch in source.iter_batches(_BATCH_ROWS, row_groups=[group], columns=[name], use_threads=False):
                columns.append(_numbers(batch.column(0), name, table, row))
                row += batch.num_rows
            if row != first_row + n:
                raise EOFError(f"column {shown(name)} has {row - first_row} rows in row group {group}, not {n}")
        for rows in columns.pieces():
            table.add(rows.astype(table.rows.dtype))
        first_row += n
    columns.close()
    return table.samples()


def _numbers(column: "pyarrow.Array", name: str, table: Table, first_row: int) -> NDArray[np.float64]:
    """A column as numbers, NaN where a cell is empty and may be. The label is read value by value."""
    from pyarrow import types

    is_label = name == table.label and table.is_classification
    if is_label:
        values = column.to_pylist()
        return np.array([table.target(value, f"row {row}") for row, value in enumerate(values, first_row)], np.float64)
    if types.is_decimal(column.type):
        column = column.cast("float64")
    if types.is_boolean(column.type):
        column = column.cast("int8")
    numbers = np.ascontiguousarray(column.to_numpy(zero_copy_only=False), np.float64)
    with np.errstate(over="ignore"):
        is_odd = ~np.isfinite(numbers.astype(np.float32))
    if is_odd.sum() != column.null_count or not table.takes_empty:
        # Each odd cell is looked at: the first that may not be is named.
        for index in np.flatnonzero(is_odd).tolist():
            table.number(column[index].as_py(), name, f"row {first_row + index}")
    return numbers
