from juniper_ctl.text_table import printable, text_table


def test_columns_are_as_wide_as_they_must_be() -> None:
    """Numbers are flush right, and no line ends with blanks."""
    assert text_table(("NAME", ">N", "LAST"), [("a", "1", ""), ("longer", "1000", "x")]).splitlines() == [
        "NAME       N  LAST",
        "a          1",
        "longer  1000  x",
    ]


def test_a_cell_is_one_line_that_does_nothing() -> None:
    """A run's notes are anybody's."""
    assert printable("a\n\x1b[2J\u009bü") == "a\\x0a\\x1b[2J\\x9bü"
    assert len(text_table(("A",), [("a\nb",)]).splitlines()) == 2
