"""In which fields runs differ."""

from juniper_cascor.runs.comparison import differing

from .records import record


def test_what_differs_is_told_by_run() -> None:
    """Fields by their names, parameters below `params`; what is the same in all is not told."""
    runs = [record(1, seed=1), record(2, seed=2)]
    runs[1].params = {"patience": 7, "learning_rate": 0.05}
    assert differing(runs) == {"seed": {"r1": 1, "r2": 2}, "params.patience": {"r1": None, "r2": 7}}


def test_a_parameter_that_one_run_does_not_know_is_null() -> None:
    """Runs of different versions may be compared."""
    runs = [record(1), record(1, id="r2", params={"learning_rate": 0.05, "mood": "good"})]
    assert differing(runs) == {"params.mood": {"r1": None, "r2": "good"}}


def test_what_no_two_runs_have_alike_is_not_told() -> None:
    """When they were made, began and ended, and which sweep they belong to."""
    assert differing([record(1, ended_at=5.0), record(2, ended_at=6.0, sweep_id="s2")]) == {}


def test_runs_that_are_alike_do_not_differ() -> None:
    """Nor does a run by itself."""
    assert differing([record(1), record(1, id="r2")]) == {}
    assert differing([record(1)]) == {}
