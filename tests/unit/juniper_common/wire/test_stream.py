"""Messages of the training stream."""

from juniper_common.wire.stream import Resumed, StreamMessage


def test_message_is_read_by_type_and_number() -> None:
    """One of a newer service with more in it too; no message's data is another's."""
    message = StreamMessage.model_validate_json(
        '{"type": "ping", "timestamp": 1.5, "seq": 7, "run_id": null, "new": 1}'
    )
    assert (message.type, message.seq, message.run_id, message.data) == ("ping", 7, None, {})
    message.data["x"] = 1
    assert StreamMessage(type="ping", seq=8).data == {}


def test_missed_messages_keep_their_order() -> None:
    """Written and read again, they are the same."""
    missed = [StreamMessage(type="metrics", timestamp=1.0, seq=seq, run_id="r") for seq in (1, 2)]
    resumed = Resumed(last_seq=2, replayed=2, messages=missed)
    assert Resumed.model_validate_json(resumed.model_dump_json()) == resumed
