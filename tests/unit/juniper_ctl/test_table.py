import pytest

from juniper_ctl.table import duration, printable, size, table


def test_a_column_is_as_wide_as_its_widest_cell() -> None:
    """Words begin at the left, figures end at the right."""
    assert table(("NAME", "N"), [("a", "100"), ("longer", "1")], left=("NAME",)) == [
        "NAME      N",
        "a       100",
        "longer    1",
    ]


def test_a_cell_is_one_line_that_does_nothing() -> None:
    """A run's notes are anybody's."""
    assert printable("a\n\x1b[2J\u009bü") == "a\\x0a\\x1b[2J\\x9bü"
    assert printable("run\u202etxt.\u2066\u2069\u200f") == "run\\u202etxt.\\u2066\\u2069\\u200f"
    assert len(table(("A",), [("a\nb",)], left=())) == 2


@pytest.mark.parametrize(
    ("count", "text"),
    [(None, "-"), (0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (100 * 2**20, "100 MiB"), (3 * 2**40, "3.0 TiB")],
)
def test_sizes_have_a_unit(count: float | None, text: str) -> None:
    """One figure behind the point where there is one before it."""
    assert size(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, "-"), (0.4, "0 s"), (119, "119 s"), (120, "2 min"), (7200, "2 h"), (200_000, "2 d")]
)
def test_times_are_short(seconds: float | None, text: str) -> None:
    """At least two of the unit."""
    assert duration(seconds) == text
