"""What a trainer was told, and what it answers."""

import asyncio
from collections.abc import Callable
from typing import cast

from juniper_cascor.runs.channel import Message
from juniper_cascor.runs.trainer_keeper import TrainerKeeper
from juniper_cascor.runs.trainer_process import TrainerProcess


class FakeProcess:
    """A trainer that hears everything, and says what the test says."""

    pid = 1
    heard_at = 0.0

    def __init__(self) -> None:
        self.say: Callable[[Message], None] = lambda _: None
        self.die: Callable[[str], None] = lambda _: None

    def made(self, on_message: Callable[[Message], None], on_death: Callable[[str], None]) -> TrainerProcess:
        """Itself, in the place of a real one."""
        self.say, self.die = on_message, on_death
        return cast("TrainerProcess", self)

    async def start(self) -> None:
        """Start nothing."""

    async def end(self) -> None:
        """End nothing."""

    def send(self, message: Message) -> None:
        """Take whatever is sent."""


async def _stopped_as_the_next_run_begins(happens: Callable[[FakeProcess], None]) -> Message | None:
    process = FakeProcess()
    keeper = TrainerKeeper("tiny", process.made, oom_kills=lambda: None)
    await keeper.open()
    keeper.tell(Message("stop", {"run_id": "a"}))
    answer = asyncio.create_task(keeper.answer(60))
    await asyncio.sleep(0)
    keeper.tell(Message("train", {"run_id": "b"}))
    happens(process)
    told = await answer
    await keeper.close()
    return told


def test_command_is_answered_though_the_next_run_began() -> None:
    """A run that ended by itself as it was stopped gives its trainer on at once: who waits must still be told."""
    obeyed = Message("obeyed", {"command": "stop", "run_id": "a"})
    assert asyncio.run(_stopped_as_the_next_run_begins(lambda process: process.say(obeyed))) is obeyed


def test_death_answers_whoever_waits() -> None:
    """Nothing else will come."""
    assert asyncio.run(_stopped_as_the_next_run_begins(lambda process: process.die("it was killed"))) is None
