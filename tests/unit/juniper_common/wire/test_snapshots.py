"""What is told to a replay."""

import pytest
from pydantic import ValidationError

from juniper_common.wire.snapshots import ReplayCommand, ReplayRequest


@pytest.mark.parametrize(
    "body",
    [
        '{"action": "play"}',
        '{"action": "pause"}',
        '{"action": "stop"}',
        '{"action": "seek", "position": 0}',
        '{"action": "speed", "speed": 2.5}',
    ],
)
def test_each_action_is_understood(body: str) -> None:
    """With what belongs to it."""
    assert ReplayCommand.model_validate_json(body)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ("{}", "action"),
        ('{"action": "rewind"}', "action"),
        ('{"action": "rewind", "position": 3}', "action"),
        ('{"action": "seek"}', "position"),
        ('{"action": "seek", "position": -1}', "position"),
        ('{"action": "play", "position": 1}', "position"),
        ('{"action": "speed"}', "speed"),
        ('{"action": "speed", "speed": 0}', "speed"),
        ('{"action": "speed", "speed": 1e9}', "speed"),
        ('{"action": "stop", "speed": 1}', "speed"),
        ('{"action": "stop", "at": 1}', "at"),
    ],
)
def test_what_does_not_go_together_is_refused(body: str, field: str) -> None:
    """The one field is named that is wrong."""
    with pytest.raises(ValidationError) as refused:
        ReplayCommand.model_validate_json(body)
    assert [problem["loc"] for problem in refused.value.errors()] == [(field,)]


def test_a_replay_begins_at_the_beginning() -> None:
    """And plays at once, a step a second."""
    request = ReplayRequest()
    assert (request.speed, request.from_start, request.paused) == (1.0, True, False)
