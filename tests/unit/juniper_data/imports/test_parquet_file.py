import io
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.unit.juniper_data.imports.conftest import ReadContent, Refusal


def written(columns: Mapping[str, Any], **options: Any) -> bytes:
    """A Parquet file of these columns."""
    file = io.BytesIO()
    parquet.write_table(pa.table(dict(columns)), file, **options)
    return file.getvalue()


def test_columns_become_features_and_classes(read_content: ReadContent) -> None:
    """Numbers of any type and booleans are features, across row groups."""
    columns = {
        "a": pa.array([1, 2, 3], pa.int8()),
        "b": pa.array([0.5, -1, 2], pa.float16()),
        "c": [True, False, True],
        "d": [Decimal("1.25"), Decimal("-2.5"), Decimal("0")],
        "label": ["v", "u", "v"],
    }
    result = read_content(written(columns, row_group_size=2))
    assert result.arrays["X_full"].tolist() == [[1, 0.5, 1, 1.25], [2, -1, 0, -2.5], [3, 2, 1, 0]]
    assert result.facts.class_names == ("u", "v")
    assert result.arrays["y_full"].tolist() == [[0, 1], [1, 0], [0, 1]]


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (pa.array(["b", "a"]).dictionary_encode(), ("a", "b")),
        (pa.array([10, 9]), ("9", "10")),
        (pa.array([0.5, -1.0]), ("-1", "0.5")),
        (pa.array([True, False]), ("false", "true")),
    ],
)
def test_labels_of_any_type_are_classes(read_content: ReadContent, labels: pa.Array, names: tuple[str, ...]) -> None:
    """Dictionaries, numbers and booleans are classes, called as a CSV's would be."""
    assert read_content(written({"x": [1, 2], "label": labels})).facts.class_names == names


def test_rows_with_nulls_can_be_dropped(read_content: ReadContent) -> None:
    """Nulls of every type are empty cells."""
    columns = {"a": [1, None, 3, 4], "b": [True, False, None, True], "label": ["u", "v", "v", None]}
    result = read_content(written(columns), missing_values="drop")
    assert result.arrays["X_full"].tolist() == [[1, 1]]
    assert [feature.missing for feature in result.facts.profile.features] == [1, 1]


def test_numbers_can_be_predicted(read_content: ReadContent) -> None:
    """With one_hot_labels off the label is a number."""
    assert read_content(written({"x": [1], "label": [0.5]}), one_hot_labels=False).arrays["y_full"].tolist() == [[0.5]]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"x": [1.0, None], "label": [0, 1]}, "row 2, column 'x': the cell is empty; missing_values='drop' drops"),
        ({"x": [1.0, float("nan")], "label": [0, 1]}, "row 2, column 'x': nan is no number"),
        ({"x": [1.0, float("inf")], "label": [0, 1]}, "row 2, column 'x': inf is too large for a 32-bit number"),
        ({"x": [1e39], "label": [0]}, "row 1, column 'x': 1e+39 is too large for a 32-bit number"),
        ({"x": [1], "label": [None]}, "holds null; only texts, numbers and booleans can be labels"),
        ({"x": [1], "label": [float("nan")]}, "row 1, column 'label': nan is no label"),
        ({"x": ["1"], "label": [0]}, "column 'x' holds string; only numbers and booleans can be features"),
        ({"x": [[1]], "label": [0]}, "column 'x' holds list<element: int64>; only numbers"),
        ({"x": [{"a": 1}], "label": [0]}, "column 'x' holds struct<a: int64>; only numbers"),
        ({"x": pa.array([1], pa.timestamp("s")), "label": [0]}, "column 'x' holds timestamp[ms]; only numbers"),
        ({"x": pa.array([], pa.int64()), "label": pa.array([], pa.int64())}, "has no rows"),
        ({"x": [1], "y": [0]}, "there is no column 'label'; there are: 'x', 'y'"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(refusal: Refusal, columns: Mapping[str, Any], message: str) -> None:
    """Each mistake is told by the row, from 1, and the column."""
    assert refusal(written(columns))[1].startswith(message)


def test_row_is_counted_over_row_groups(refusal: Refusal) -> None:
    """A row's number is the file's, not its row group's."""
    content = written({"x": [1.0, 2.0, None], "label": [0, 0, 0]}, row_group_size=1)
    assert refusal(content)[1].startswith("row 3, column 'x'")


def test_nan_is_no_empty_cell(refusal: Refusal) -> None:
    """Where nulls are dropped, NaN is still a mistake."""
    content = written({"x": [1.0, None, float("nan")], "label": [0, 0, 0]})
    assert refusal(content, missing_values="drop")[1] == "row 3, column 'x': nan is no number"


def test_index_of_pandas_is_no_feature(refusal: Refusal, read_content: ReadContent) -> None:
    """Row numbers that pandas wrote beside the columns are refused; who chooses them gets them."""
    content = written({"x": [1, 2], "label": [0, 1], "__index_level_0__": [7, 9]})
    assert refusal(content)[1].startswith("column '__index_level_0__' is a pandas index; write it with index=False")
    assert read_content(content, feature_columns=("__index_level_0__",)).arrays["X_full"].tolist() == [[7], [9]]


def test_two_columns_of_one_name_are_refused(refusal: Refusal) -> None:
    """Which of them would be meant cannot be known."""
    file = io.BytesIO()
    parquet.write_table(pa.table([[1], [2], [3]], names=["x", "x", "label"]), file)
    assert refusal(file.getvalue())[1] == "has two columns of the same name: 'x'"


@pytest.mark.parametrize("part", [slice(0, 4), slice(0, -1), slice(0, -8), slice(4, None)])
def test_part_of_a_file_is_refused(refusal: Refusal, part: slice) -> None:
    """What was cut off anywhere is no Parquet."""
    said = refusal(written({"x": [1], "label": [0]})[part], file_format="parquet")[1]
    assert said.startswith("is no Parquet that can be read: ")
