"""Fields that an error names."""

import pytest

from juniper_common.wire.errors import FieldProblem


@pytest.mark.parametrize(
    ("loc", "path"), [(["params", "noise"], "params.noise"), (["train_x", 3, 0], "train_x.3.0"), ([], "body")]
)
def test_path_is_one_word(loc: list[str | int], path: str) -> None:
    """Outermost first; what is about no field is about the whole."""
    assert FieldProblem(loc=loc, msg="x").path == path
