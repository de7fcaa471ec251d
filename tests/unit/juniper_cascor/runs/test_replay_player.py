"""The playback of a growth, as values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from juniper_cascor.runs.replay_player import ReplayPlayer

FIVE = ReplayPlayer(length=5)


def test_a_step_is_taken_when_it_is_due() -> None:
    """Not before."""
    player = ReplayPlayer(length=5, speed=4.0).played(100.0)
    assert player.due_at == 100.25
    assert player.advanced(100.2) == player
    assert player.advanced(100.25).position == 1
    assert player.advanced(100.25).due_at == 100.5


def test_who_is_late_catches_up() -> None:
    """All steps that are due are taken at once, and the next keeps its time."""
    player = FIVE.played(0.0).advanced(2.5)
    assert (player.position, player.due_at) == (2, 3.0)


def test_at_the_end_it_pauses() -> None:
    """However late it is noticed."""
    player = FIVE.played(0.0).advanced(99.0)
    assert (player.position, player.is_playing, player.due_at) == (4, False, None)


def test_from_the_end_it_plays_anew() -> None:
    """From the beginning."""
    player = FIVE.sought(4, 0.0).played(7.0)
    assert (player.position, player.is_playing, player.due_at) == (0, True, 8.0)


def test_one_position_alone_is_the_end() -> None:
    """There is nothing to play."""
    assert not ReplayPlayer(length=1).played(0.0).is_playing


def test_paused_it_takes_no_step() -> None:
    """And then waits a whole step when it plays again; to play twice changes nothing."""
    player = FIVE.played(0.0).paused()
    assert player.advanced(50.0) == player
    again = player.played(50.5)
    assert again.due_at == 51.5
    assert again.played(51.0) == again


def test_it_plays_on_from_where_it_sought() -> None:
    """Forward or backward; to the end it pauses."""
    player = FIVE.played(0.0).sought(3, 0.9)
    assert (player.position, player.is_playing, player.due_at) == (3, True, 1.9)
    assert not player.sought(4, 1.0).is_playing
    assert not FIVE.sought(3, 1.0).is_playing


@pytest.mark.parametrize("position", [-1, 5])
def test_a_position_must_be_there(position: int) -> None:
    """The message tells which are."""
    with pytest.raises(ValueError, match="from 0 to 4"):
        FIVE.sought(position, 0.0)


def test_a_change_of_speed_keeps_the_share_that_was_waited() -> None:
    """Neither does a step get lost, nor is one taken at once."""
    player = FIVE.played(0.0).paced(4.0, 0.5)
    assert player.due_at == 0.625
    assert player.speed == 4.0


def test_a_position_may_go() -> None:
    """What is shown stays the same, but for the one that went: then it is the next."""
    player = FIVE.played(0.0).sought(2, 0.0)
    assert (player.without(1).position, player.without(1).length) == (1, 4)
    assert player.without(2).position == 2
    assert player.without(3).position == 2


def test_the_last_position_may_go() -> None:
    """Then it is at the end."""
    player = ReplayPlayer(length=5, position=4, is_playing=False).without(4)
    assert (player.length, player.position, player.is_playing) == (4, 3, False)


@given(length=st.integers(1, 50), speed=st.floats(1e-3, 1e3), start=st.floats(0, 1e6), waits=st.lists(st.floats(0, 2)))
def test_whoever_waits_until_a_step_is_due_takes_one(
    length: int, speed: float, start: float, waits: list[float]
) -> None:
    """Whatever rounding does: it ends at the end, after no more looks than there are steps and early looks."""
    player = ReplayPlayer(length=length, speed=speed).played(start)
    for share in waits:
        if player.due_at is None:
            break
        player = player.advanced(player.since + share / speed)
    for _ in range(length):
        if player.due_at is None:
            break
        player = player.advanced(player.due_at)
    assert (player.position, player.is_playing) == (length - 1, False)
