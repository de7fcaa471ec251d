"""Metering epochs out."""

import pytest

from juniper_cascor.runs.pacing import Pacer


@pytest.mark.parametrize("pace", [0.7, 3.0, 50.0, 1000.0])
def test_epochs_come_at_the_pace(pace: float) -> None:
    """Over ten seconds of obeying the pacer, the pace is kept to within a slice."""
    pacer, now, done = Pacer(pace, 0.0), 0.0, 0
    while now < 10:
        allowance = pacer.allowance(now)
        assert allowance is not None
        done += allowance
        pacer.spend(allowance)
        wait = pacer.wait_s(now)
        assert wait >= 0.05
        now += wait
    assert done == pytest.approx(10 * pace, abs=max(1, 0.15 * pace))


def test_full_speed_waits_for_nothing() -> None:
    """Without a pace any number of epochs may be trained at once."""
    pacer = Pacer(None, 0.0)
    assert (pacer.allowance(5.0), pacer.wait_s(5.0)) == (None, 0.0)


def test_lost_time_is_not_caught_up() -> None:
    """After a minute's sleep no minute's worth of epochs is due."""
    pacer = Pacer(50, 0.0)
    assert pacer.allowance(60.0) == 5


def test_a_changed_pace_counts_from_the_change() -> None:
    """What was saved up before is forgotten."""
    pacer = Pacer(1, 0.0)
    pacer.change(100, 10.0)
    assert pacer.pace == 100
    assert pacer.allowance(10.0) == 5
