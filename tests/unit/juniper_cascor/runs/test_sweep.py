"""From a post to the parameters of its runs."""

import pytest
from pydantic import JsonValue

from juniper_cascor.runs import new_run
from juniper_common.errors import UnprocessableError
from juniper_common.wire.runs import MAX_RUNS_POSTED, StartRuns


def swept(**body: JsonValue) -> list[dict[str, JsonValue]]:
    """What is set in each run."""
    return [each.model_dump(exclude_unset=True) for each in new_run.sweep(StartRuns.model_validate(body))]


def problem(**body: JsonValue) -> tuple[list[str | int], str]:
    """Where a post is wrong, and what is wrong with it."""
    request = StartRuns.model_validate(body)
    with pytest.raises(UnprocessableError) as refused:
        for asked in new_run.sweep(request):
            new_run.swept_parameters(request, asked)
    (field,) = refused.value.fields
    return field.loc, field.msg


def test_nothing_to_sweep_over_is_one_run() -> None:
    """With the parameters of the post."""
    assert swept() == [{}]
    assert swept(params={"patience": 3, "seed": 1}) == [{"patience": 3, "seed": 1}]


def test_the_last_axis_changes_fastest_and_seeds_come_last() -> None:
    """As nested loops would go."""
    assert swept(sweep={"patience": [1, 2], "pace": [5, None]}, seeds=[7, 8]) == [
        {"patience": patience, "pace": pace, "seed": seed}
        for patience in (1, 2)
        for pace in (5, None)
        for seed in (7, 8)
    ]


def test_a_value_of_the_sweep_goes_before_the_parameters() -> None:
    """The others of them stay."""
    assert swept(sweep={"patience": [1]}, params={"patience": 9, "max_epochs": 5}) == [{"patience": 1, "max_epochs": 5}]


def test_there_may_be_so_many_and_no_more() -> None:
    """What is too much is said before it is made."""
    half: list[JsonValue] = list(range(MAX_RUNS_POSTED // 2))
    assert len(swept(sweep={"seed": half, "patience": [1, 2]})) == MAX_RUNS_POSTED
    assert problem(sweep={"seed": half, "patience": [1, 2, 3]}) == (["sweep"], f"is more than {MAX_RUNS_POSTED} runs")
    many: list[JsonValue] = list(range(1_000))
    assert problem(sweep=dict.fromkeys(("seed", "patience", "max_epochs", "pace"), many))[0] == ["sweep"]


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        ({"sweep": {"patience": []}}, ["sweep", "patience"], "has no values"),
        ({"sweep": {"colour": [1]}}, ["sweep", "colour"], "Extra inputs are not permitted"),
        ({"sweep": {"patience": [1, 0]}}, ["sweep", "patience"], "must be between 1 and 10000, not 0"),
        ({"sweep": {"seed": [1]}, "seeds": [1]}, ["seeds"], "seed is swept over already"),
        ({"params": {"patience": 0}, "seeds": [1]}, ["params", "patience"], "must be between 1 and 10000, not 0"),
    ],
)
def test_what_is_wrong_is_named_where_it_stands(body: dict[str, JsonValue], field: list[str], message: str) -> None:
    """The value of a sweep in the sweep, that of all runs among the parameters."""
    loc, told = problem(**body)
    assert loc == field
    assert told == message
