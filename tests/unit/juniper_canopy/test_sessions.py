import pytest

from juniper_canopy.access.sessions import Sessions
from tests.unit.juniper_canopy.conftest import Clock

LASTS_S = 3600.0


@pytest.fixture
def sessions(clock: Clock) -> Sessions:
    """The sessions of a dashboard with two keys."""
    return Sessions(["first", "second"], LASTS_S, clock)


@pytest.mark.parametrize("key", [0, 1])
def test_a_session_is_open_until_its_time_is_over(sessions: Sessions, clock: Clock, key: int) -> None:
    """Whichever key it was opened with."""
    token = sessions.open(key)
    clock.now_s += LASTS_S - 1
    assert sessions.is_open(token)
    clock.now_s += 1
    assert not sessions.is_open(token)


def test_a_restart_ends_no_session(sessions: Sessions, clock: Clock) -> None:
    """What signs follows from the keys, wherever they stand in the list."""
    token = sessions.open(0)
    assert Sessions(["new", "first"], LASTS_S, clock).is_open(token)


def test_taking_a_key_away_ends_its_sessions(sessions: Sessions, clock: Clock) -> None:
    """And those of no other key."""
    of_first, of_second = sessions.open(0), sessions.open(1)
    left = Sessions(["second"], LASTS_S, clock)
    assert (left.is_open(of_first), left.is_open(of_second)) == (False, True)


def test_a_session_that_was_ended_is_over(sessions: Sessions) -> None:
    """And no other one with it."""
    ended, other = sessions.open(0), sessions.open(0)
    sessions.end(ended)
    assert (sessions.is_open(ended), sessions.is_open(other)) == (False, True)


@pytest.mark.parametrize("forge", ["", ".", "é", "0-9999999999", "0-9999999999.x", "0-9999999999.\x00"])
def test_what_was_not_signed_is_no_session(sessions: Sessions, forge: str) -> None:
    """Whatever a cookie holds."""
    sessions.end(forge)
    assert not sessions.is_open(forge)


def test_a_changed_token_is_no_session(sessions: Sessions, clock: Clock) -> None:
    """Its end stands in it, and may not be put off."""
    token = sessions.open(0)
    later = token.replace(str(int(clock.now_s + LASTS_S)), str(int(clock.now_s + 2 * LASTS_S)))
    assert later != token
    assert not sessions.is_open(later)


def test_without_keys_there_are_no_sessions(clock: Clock) -> None:
    """And none is asked for."""
    assert not Sessions([], LASTS_S, clock)
