import numpy as np
import pytest

from juniper_data.imports.text_file import MAX_LINE_BYTES
from tests.unit.juniper_data.imports.conftest import ReadContent, Refusal

TABLE = "x1,x2,label\n1,2.5,b\n-3,4e-1,a\n"


def test_columns_become_features_and_classes(read_content: ReadContent) -> None:
    """All columns but the label are features, in the file's order; labels are classes in theirs."""
    result = read_content(TABLE)
    assert result.facts.feature_names == ("x1", "x2")
    assert result.facts.class_names == ("a", "b")
    assert result.arrays["X_full"].tolist() == [[1, 2.5], [-3, np.float32(0.4)]]
    assert result.arrays["y_full"].tolist() == [[0, 1], [1, 0]]


@pytest.mark.parametrize(
    "same",
    [
        "\ufeff" + TABLE,
        TABLE.replace("\n", "\r\n"),
        TABLE.replace("\n", "\n\n"),
        TABLE.rstrip("\n"),
        "label,x1,x2\nb,1,2.5\na,-3,.4\n",
        '"x1","x2","label"\n"1","2.5","b"\n-3,"4e-1",a\n',
        "x1, x2 ,label\n +1,2.5 , b\n-3.0,0.4,a \n",
    ],
)
def test_same_table_may_be_written_in_many_ways(read_content: ReadContent, same: str) -> None:
    """Byte order mark, line ends, empty lines, order of columns, quotes and spaces change nothing."""
    assert read_content(same).artifact == read_content(TABLE).artifact


def test_columns_can_be_chosen(read_content: ReadContent) -> None:
    """What is not chosen is not read, and may be anything; the order is the caller's."""
    result = read_content("a,b,c,kind\n1,x,2,u\n3,,4,v\n", feature_columns=("c", "a"), label_column="kind")
    assert result.arrays["X_full"].tolist() == [[2, 1], [4, 3]]
    assert result.facts.feature_names == ("c", "a")


def test_delimiter_and_no_header(read_content: ReadContent) -> None:
    """Without a header columns go by their number; cells may be apart by a tab."""
    result = read_content("1\t2\t5\n3\t4\t6\n", delimiter="\t", header=False, label_column="c2")
    assert result.facts.feature_names == ("c0", "c1")
    assert result.facts.class_names == ("5", "6")


def test_numbers_can_be_predicted(read_content: ReadContent) -> None:
    """With one_hot_labels off the label is one column of numbers, and there are no classes."""
    result = read_content("x,label\n1,0.5\n2,-7\n", one_hot_labels=False)
    assert result.arrays["y_full"].tolist() == [[0.5], [-7]]
    assert (result.facts.task_type, result.facts.n_classes, result.facts.class_distribution) == ("regression", 0, {})
    assert result.facts.profile.class_balance == {}


def test_rows_with_empty_cells_can_be_dropped(read_content: ReadContent) -> None:
    """Such rows are left out, and the profile says how many cells each feature lacked."""
    content = 'x,y,label\n1,,a\n,,b\n3,4,a\n5,6,\n7," ",b\n8,9,b\n'
    result = read_content(content, missing_values="drop")
    assert result.arrays["X_full"].tolist() == [[3, 4], [8, 9]]
    assert [feature.missing for feature in result.facts.profile.features] == [1, 3]


@pytest.mark.parametrize("end", ["", '3," "\n'])
def test_label_of_dropped_rows_alone_is_no_class(read_content: ReadContent, end: str) -> None:
    """Nor does it make texts of the numbers beside it; whether or not a row of spaces needs care."""
    result = read_content("x,label\n,none\n1,10\n2,9\n" + end, missing_values="drop")
    assert result.facts.class_names == ("9", "10")
    assert result.facts.class_distribution == {"0": 1, "1": 1}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("x,label\n1,a\nabc,b\n", "line 3, column 'x': 'abc' is no number"),
        ('x,label\n"1","a\nb"\n\nabc,b\n', "line 5, column 'x': 'abc' is no number"),
        ("x,label\n1,a\n2024-01-01,b\n", "line 3, column 'x': '2024-01-01' is no number"),
        ("x,label\nnan,a\n", "line 2, column 'x': 'nan' is no number"),
        ("x,label\n-inf,a\n", "line 2, column 'x': '-inf' is no number"),
        ("x,label\n1e39,a\n", "line 2, column 'x': '1e39' is too large for a 32-bit number"),
        ("x,label\n,a\n", "line 2, column 'x': the cell is empty; missing_values='drop' drops such rows"),
        ("x,label\n1,a\n2,\n", "line 3, column 'label': the cell is empty; missing_values='drop' drops such rows"),
        ("x,label\n1,a\n2,b,c\n", "line 3 has 3 cells, not 2 as the others"),
        ("x,label\n1\n", "line 2 has 1 cells, not 2 as the others"),
        ("x,x,label\n1,2,a\n", "has two columns of the same name: 'x'"),
        (",x,label\n1,2,a\n", "column 1 has no name of 1 to 200 characters: ''; choose feature_columns"),
        ("x,label\r1,a\r", "line 1: lines end with LF or CRLF, not with CR alone"),
        ("label\na\n", "has no column but 'label'"),
        ("x,label\n", "has no rows"),
        ("", "is empty"),
        ("\ufeff\n\n", "is empty"),
        (b"x,label\n1,\xff\n", "line 2 is no UTF-8"),
        (b"x\xff,label\n", "line 1 is no UTF-8"),
        ('x,label\n1,"' + "a" * 200_000 + '"\n', "has a label of more than 200 characters: 'aaa"),
        ('x,label\n"' + "1\n" * 200_000, "line 2: field larger than field limit (131072)"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(refusal: Refusal, content: bytes | str, message: str) -> None:
    """Each mistake is told by the file's line, from 1, and the column's name."""
    _, said = refusal(content)
    assert said.startswith(message)


def test_number_that_is_none_is_named_far_down_too(refusal: Refusal) -> None:
    """Past the first blocks, which are read fast, the line is still the file's own."""
    content = "x,label\n" + "0.12345678901234567890,a\n" * 100_000 + "\n\n0x1,a\n"
    assert refusal(content)[1] == "line 100004, column 'x': '0x1' is no number"


def test_text_in_place_of_a_number_is_no_empty_cell(refusal: Refusal) -> None:
    """Only empty cells are dropped: NaN and text stay mistakes, and named."""
    content = "x,y,label\n1,,a\n2,nan,a\n"
    assert refusal(content, missing_values="drop")[1] == "line 3, column 'y': 'nan' is no number"


def test_nothing_left_is_refused(refusal: Refusal) -> None:
    """Where each row lacks something, nothing is left to make a set of."""
    assert refusal("x,label\n,a\n1,\n", missing_values="drop")[1] == "has an empty cell in each of its rows"


def test_missing_label_column_names_the_columns(refusal: Refusal) -> None:
    """The error says what there is to choose from."""
    loc, message = refusal("x,y\n1,2\n")
    assert (loc, message) == (["params", "label_column"], "there is no column 'label'; there are: 'x', 'y'")


def test_each_wrong_feature_is_named(refusal: Refusal) -> None:
    """An unknown column, the label, and a column twice are refused at their place in the list."""
    assert refusal(TABLE, feature_columns=("x1", "q"))[0] == ["params", "feature_columns", 1]
    assert refusal(TABLE, feature_columns=("label",))[1] == "'label' is the label; it cannot be a feature too"
    assert refusal(TABLE, feature_columns=("x1", "x1"))[1] == "'x1' is chosen twice"
    assert refusal(TABLE, feature_columns=())[0] == ["params", "feature_columns"]


def test_endless_line_is_refused(refusal: Refusal) -> None:
    """A line that does not end is not read to its end."""
    assert refusal(b"x,label\n1," + b"a" * (MAX_LINE_BYTES + 1))[1] == "line 2 is longer than 8 MiB"


def test_too_many_columns_are_refused(refusal: Refusal) -> None:
    """There is a bound to what a set can have."""
    assert refusal(",".join(f"x{j}" for j in range(20_001)) + ",label\n")[1] == "has more than 20000 columns"


def test_nothing_to_train_on_is_refused(refusal: Refusal) -> None:
    """One row, half of it to train on, is none."""
    assert refusal("x,label\n1,a\n", train_ratio=0.1)[0] == ["params", "train_ratio"]


def test_wide_rows_are_read(read_content: ReadContent) -> None:
    """A row may be longer than the blocks that narrow files are read in."""
    n = 19_000
    header = ",".join(f"x{j}" for j in range(n)) + ",label\n"
    row = ",".join(["0.123456789012345678"] * n) + ",a\n"
    result = read_content(header + row + row)
    assert result.arrays["X_full"].shape == (2, n)
