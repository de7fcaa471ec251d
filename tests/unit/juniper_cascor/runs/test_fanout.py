"""One message, many watchers."""

import asyncio

import orjson
from pydantic import BaseModel

from juniper_cascor.runs.fanout import HARD_LIMIT, KEPT, QUEUE_CHARACTERS, QUEUE_LIMIT, Fanout, Watcher


class Number(BaseModel):
    """Any data."""

    n: int


class Text(BaseModel):
    """Data of any length."""

    text: str


def drained(watcher: Watcher) -> list[str]:
    """The kinds of all messages that wait."""

    async def drain() -> list[str]:
        kinds: list[str] = []
        while True:
            try:
                message = await asyncio.wait_for(watcher.next(), 0.01)
            except TimeoutError:
                return kinds
            if message is None:
                return [*kinds, "(lost)"]
            kinds.append(message.kind)

    return asyncio.run(drain())


def test_a_message_says_what_it_is() -> None:
    """Type, time, number, run and data."""
    fanout = Fanout()
    watcher = fanout.join()
    fanout.publish("metrics", Number(n=1), "r1")
    message = asyncio.run(watcher.next())
    assert message is not None
    content = orjson.loads(message.text)
    assert content.pop("timestamp") > 0
    assert content == {"type": "metrics", "seq": 1, "run_id": "r1", "data": {"n": 1}}


def test_a_slow_watcher_loses_metrics_and_no_state() -> None:
    """A full queue drops what a later message replaces, oldest first."""
    fanout = Fanout()
    watcher = fanout.join()
    fanout.publish("cascade_add", Number(n=0), "r1")
    for n in range(3 * QUEUE_LIMIT):
        fanout.publish("metrics", Number(n=n), "r1")
    fanout.publish("state", Number(n=1), "r1")
    kinds = drained(watcher)
    assert len(kinds) == QUEUE_LIMIT
    assert (kinds[0], kinds[-1]) == ("cascade_add", "state")


def test_a_watcher_that_does_not_read_at_all_is_lost() -> None:
    """State that piles up without end ends the connection, not the service's memory."""
    fanout = Fanout()
    watcher = fanout.join()
    for n in range(HARD_LIMIT + 1):
        fanout.publish("state", Number(n=n), "r1")
    assert watcher.is_lost
    assert drained(watcher) == ["(lost)"]


def test_who_comes_back_gets_what_was_missed_up_to_its_coming() -> None:
    """What is published after the watcher joined reaches it through its queue, not twice."""
    fanout = Fanout()
    for n in range(5):
        fanout.publish("state", Number(n=n), "r1")
    watcher = fanout.join()
    fanout.publish("state", Number(n=5), "r1")
    missed = fanout.missed(3, watcher)
    assert missed is not None
    assert [message.seq for message in missed] == [4, 5]
    assert drained(watcher) == ["state"]


def test_what_is_no_longer_kept_cannot_be_missed_in_part() -> None:
    """A gap is said, not hidden; so is a number that was never given out."""
    fanout = Fanout()
    for n in range(KEPT + 10):
        fanout.publish("state", Number(n=n), "r1")
    watcher = fanout.join()
    assert fanout.missed(9, watcher) is None
    assert len(fanout.missed(10, watcher) or ()) == KEPT
    assert fanout.missed(KEPT + 11, watcher) is None
    fanout.leave(watcher)
    assert len(fanout) == 0


def test_a_slow_watcher_keeps_the_last_of_what_is_replaced() -> None:
    """A topology with no later one behind it stays, however many metrics come after it."""
    fanout = Fanout()
    watcher = fanout.join()
    for n in range(3):
        fanout.publish("topology", Number(n=n), "r1")
    for n in range(3 * QUEUE_LIMIT):
        fanout.publish("metrics", Number(n=n), "r1")
    assert drained(watcher) == ["topology", *["metrics"] * (QUEUE_LIMIT - 1)]


def test_long_messages_fill_a_queue_sooner() -> None:
    """Its memory is bounded too, not only the number of its messages."""
    fanout = Fanout()
    watcher = fanout.join()
    for _ in range(20):
        fanout.publish("topology", Text(text="x" * (QUEUE_CHARACTERS // 8)), "r1")
    assert len(drained(watcher)) == 7


def test_state_too_long_for_any_queue_loses_the_watcher() -> None:
    """What must not be dropped and cannot be kept ends the connection."""
    fanout = Fanout()
    watcher = fanout.join()
    for _ in range(40):
        fanout.publish("state", Text(text="x" * (QUEUE_CHARACTERS // 8)), "r1")
    assert watcher.is_lost


def test_a_watcher_of_one_run_gets_that_run_alone() -> None:
    """One that names no run gets what is of the foreground when it is published."""
    fanout = Fanout()
    watchers = [fanout.join(), fanout.join("r1"), fanout.join("r2")]
    fanout.publish("metrics", Number(n=1), "r1")
    fanout.publish("state", Number(n=1), "r2", is_foreground=False)
    fanout.publish("event", Number(n=1), "r2")
    assert [drained(watcher) for watcher in watchers] == [["metrics", "event"], ["metrics"], ["state", "event"]]


def test_who_comes_back_misses_only_what_its_run_said() -> None:
    """The numbers are those of the process, with gaps where other runs spoke."""
    fanout = Fanout()
    for n in range(6):
        fanout.publish("state", Number(n=n), f"r{n % 2}", is_foreground=n < 2)
    watchers = [fanout.join(), fanout.join("r0"), fanout.join("r1")]
    missed = [[message.seq for message in fanout.missed(1, watcher) or ()] for watcher in watchers]
    assert missed == [[2], [3, 5], [2, 4, 6]]
