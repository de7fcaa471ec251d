import json

import numpy as np
import pytest

from tests.unit.juniper_data.imports.conftest import ReadContent, Refusal

RECORDS = [{"x1": 1, "x2": 2.5, "label": "b"}, {"x1": -3, "x2": 0.4, "label": "a"}]


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(RECORDS),
        json.dumps(RECORDS, indent=2),
        "\ufeff" + json.dumps(RECORDS),
        "\n".join(map(json.dumps, RECORDS)),
        "\n\n  " + "\r\n\n".join(map(json.dumps, RECORDS)) + "\n",
        json.dumps([dict(reversed(record.items())) if n else record for n, record in enumerate(RECORDS)]),
    ],
)
def test_records_become_samples(read_content: ReadContent, content: str) -> None:
    """An array of records and a record a line are the same, whatever the spaces and the order of keys."""
    result = read_content(content)
    assert result.facts.feature_names == ("x1", "x2")
    assert result.facts.class_names == ("a", "b")
    assert result.arrays["X_full"].tolist() == [[1, 2.5], [-3, np.float32(0.4)]]
    assert result.arrays["y_full"].tolist() == [[0, 1], [1, 0]]


def test_booleans_are_numbers_and_labels(read_content: ReadContent) -> None:
    """True is 1 as a feature, and called true as a class."""
    result = read_content('[{"x": true, "label": false}, {"x": false, "label": true}]')
    assert result.arrays["X_full"].tolist() == [[1], [0]]
    assert result.facts.class_names == ("false", "true")


def test_null_and_what_is_left_out_are_empty_cells(read_content: ReadContent) -> None:
    """Both are dropped where that is asked for, and counted."""
    content = '{"x": 1, "y": 2, "label": 0}\n{"x": null, "label": 0}\n{"x": 3, "y": 4}\n{"y": 5, "x": 6, "label": 1}'
    result = read_content(content, missing_values="drop")
    assert result.arrays["X_full"].tolist() == [[1, 2], [6, 5]]
    assert [feature.missing for feature in result.facts.profile.features] == [1, 1]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('[{"x": 1, "label": 0}, {"x": "abc", "label": 0}]', "record 2, column 'x': 'abc' is text, no number"),
        ('[{"x": 1, "label": 0}, {"x": null, "label": 0}]', "record 2, column 'x': the cell is empty"),
        ('[{"x": 1, "label": 0}, {"label": 0}]', "record 2, column 'x': the cell is empty"),
        ('[{"x": 1, "label": null}]', "record 1, column 'label': the cell is empty"),
        ('[{"x": 1, "label": {}}]', "record 1, column 'label': {…} is no label"),
        ('[{"x": [1], "label": 0}]', "record 1, column 'x': […] is no number"),
        ('[{"x": 1e39, "label": 0}]', "record 1, column 'x': 1e+39 is too large for a 32-bit number"),
        ('[{"x": 1' + "0" * 400 + ', "label": 0}]', "is no JSON after record 0: "),
        ('[{"x": 1, "label": 0}, {"x": 1, "z": 2, "label": 0}]', "record 2 has 'z', which the first record has not"),
        ("[1]", "record 1 is 1, not an object of names and numbers"),
        ("[[1, 2]]", "record 1 is […], not an object of names and numbers"),
        ("[]", "has no records"),
        ('[{"x": 1, "label": 0}', "is no JSON after record 1: "),
        ('[{"x": 1, "label": 0}] x', "is no JSON after record 1: "),
        ('[{"x": NaN, "label": 0}]', "is no JSON after record 0: "),
        ('{"x": NaN, "label": 0}', "line 1 is no JSON: "),
        ('{"x": 1, "label": 0}\n{"x": 1', "line 2 is no JSON: "),
        ('{"x": 1, "label": 0}\n{"x": 1e400, "label": 0}', "line 2 is no JSON: "),
        (b'[{"x": 1, "label": "\xff"}]', "is no JSON after record 0: "),
        ("[" * 100_000, "record 1 is […], not an object"),
        ('[{"x": ' + "[" * 100_000, "is no JSON after record 0: "),
        ('{"x":' * 100_000, "line 1 is no JSON: "),
    ],
)
def test_what_is_wrong_is_named_with_its_place(refusal: Refusal, content: bytes | str, message: str) -> None:
    """Each mistake is told by the number of the record, from 1, and the key."""
    loc, said = refusal(content)
    assert (loc, said[: len(message)]) == (["params", "file_path"], message)


def test_empty_file_is_refused(refusal: Refusal) -> None:
    """Told to be JSON, nothing at all is no record."""
    assert refusal("", file_format="json")[1] == "has no records"
    assert refusal(" \n ", "a.json")[1] == "has no records"


def test_text_is_no_number_to_predict(refusal: Refusal) -> None:
    """A regression's label is a number, not a text that says one."""
    said = refusal('[{"x": 1, "label": "2"}]', one_hot_labels=False)[1]
    assert said == "record 1, column 'label': '2' is text, no number"


def test_further_keys_do_no_harm_where_features_are_chosen(read_content: ReadContent) -> None:
    """What is not asked for may come and go."""
    content = '[{"x": 1, "a": "q", "label": 0}, {"x": 2, "b": [], "label": 0}]'
    assert read_content(content, feature_columns=("x",)).facts.n_samples == 2


def test_endless_line_is_refused(refusal: Refusal) -> None:
    """A line that does not end is not read to its end."""
    assert refusal('{"x": 1, "a": "' + "a" * (9 << 20))[1] == "line 1 is longer than 8 MiB"
