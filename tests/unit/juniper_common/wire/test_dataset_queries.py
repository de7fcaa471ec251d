"""What may be asked of many datasets."""

import pytest
from pydantic import ValidationError

from juniper_common.wire.dataset_queries import DatasetFilter


def test_ten_tags_may_be_asked_for() -> None:
    """Any text between commas is one."""
    assert DatasetFilter(tags=",".join("a b\nc%'ä1x"))


def test_more_tags_are_refused() -> None:
    """Each costs time for every dataset there is."""
    with pytest.raises(ValidationError) as refused:
        DatasetFilter(tags=",".join("abcdefghijk"))
    assert [problem["loc"] for problem in refused.value.errors()] == [("tags",)]
