"""Trainer processes that are none: what a trainer says, and when it dies, is the test's to decide."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue

from juniper_cascor.engine.network import Network
from juniper_cascor.runs.channel import Message
from juniper_cascor.runs.history import ROW
from juniper_cascor.runs.trainer_keeper import TrainerFactory
from juniper_cascor.runs.trainer_process import TrainerProcess
from juniper_common import logs


class FakeProcess(TrainerProcess):
    """One process."""

    def __init__(self, on_message: Callable[[Message], None], on_death: Callable[[str], None], pid: int) -> None:
        super().__init__(on_message, on_death, {})
        self.number = pid
        self.told: list[Message] = []
        self.can_be_killed = True
        self.is_gone = False

    @property
    def pid(self) -> int:
        """A number of its own."""
        return self.number

    async def start(self) -> None:
        """It is there at once."""

    def send(self, message: Message) -> None:
        """Keep what it is told."""
        if self.is_gone:
            raise BrokenPipeError("the trainer is gone")
        self.told.append(message)

    def kill(self) -> None:
        """It dies at once, if it can be killed at all."""
        if self.can_be_killed:
            self.die("the trainer was killed (SIGKILL)")

    async def end(self) -> None:
        """It ends when it is told to."""
        self.is_gone = True

    def die(self, reason: str) -> None:
        """It is gone."""
        self.is_gone = True
        self._on_death(reason)

    def say(self, kind: str, **fields: JsonValue) -> None:
        """A report of it."""
        self._on_message(Message(kind, fields))

    def report(self, run_id: str, epoch: int, network: Network) -> None:
        """It trains, and has come so far."""
        rows = np.zeros(1, ROW)
        rows["epoch"] = epoch
        fields: dict[str, JsonValue] = {
            "run_id": run_id,
            "phase": "output",
            "epoch": epoch,
            "task": network.task,
            "installed": [],
        }
        arrays: dict[str, NDArray[np.generic]] = {"rows": rows.view(np.uint8), "scores": np.empty(0, np.float32)}
        self._on_message(Message("progress", fields, arrays | network.arrays()))

    def obey(self, message: Message, **more: JsonValue) -> None:
        """Answer a command."""
        told = {name: message.fields.get(name) for name in ("run_id", "number")}
        self.say("obeyed", command=message.kind, **told, **more)


class FakeTrainers:
    """Makes them, and knows all that were made; `failures` of the next starts fail."""

    def __init__(self, failures: int = 0) -> None:
        self.made: list[FakeProcess] = []
        self.failures = failures

    @property
    def last(self) -> FakeProcess:
        """The newest."""
        return self.made[-1]

    async def make(self, number: int) -> None:
        """Return when so many were made."""
        await until(lambda: len(self.made) == number)

    def at(self, place: int) -> TrainerFactory:
        """As the run queue asks for it."""

        def make(on_message: Callable[[Message], None], on_death: Callable[[str], None]) -> TrainerProcess:
            if self.failures:
                self.failures -= 1
                raise BlockingIOError(11, "Resource temporarily unavailable")
            self.made.append(FakeProcess(on_message, on_death, 1000 * place + len(self.made)))
            return self.made[-1]

        return make


class Listener:
    """The run that a trainer works on, as far as its keeper knows it."""

    def __init__(self, silence_s: float = 30.0) -> None:
        self.heard_kinds: list[str] = []
        self.deaths: list[tuple[str, bool]] = []
        self.warm = 0
        self.run_id = "r1"
        self._silence_s = silence_s

    def heard(self, message: Message) -> None:
        """Keep what is reported."""
        self.heard_kinds.append(message.kind)

    def trainer_is_warm(self) -> None:
        """Count."""
        self.warm += 1

    def trainer_died(self, reason: str, is_final: bool) -> None:
        """Keep why."""
        self.deaths.append((reason, is_final))

    def named_in_logs(self) -> AbstractContextManager[None]:
        """By its id."""
        return logs.about(self.run_id)

    def silence_s(self) -> float:
        """As the test says."""
        return self._silence_s


async def until(is_so: Callable[[], bool], timeout_s: float = 30.0) -> None:
    """Return when something is so."""
    async with asyncio.timeout(timeout_s):
        while not is_so():
            await asyncio.sleep(0.005)
