"""Keeps one trainer process alive: starts it, starts it again when it dies, kills it when it hangs."""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Protocol

from juniper_cascor.background import Background
from juniper_cascor.runs import out_of_memory
from juniper_cascor.runs.channel import Message
from juniper_cascor.runs.trainer_process import TrainerProcess
from juniper_common.errors import UnavailableError

OBEY_TIMEOUT_S = 5.0
LOAD_TIMEOUT_S = 300.0
"""Reading large data takes a trainer as long as it takes; one that warms up says now and then that it does."""

DYING_TIMEOUT_S = 10.0
RESTART_PAUSES_S = (0.1, 1.0, 5.0, 30.0)

TrainerFactory = Callable[[Callable[[Message], None], Callable[[str], None]], TrainerProcess]

log = logging.getLogger(__name__)


class TrainerUser(Protocol):
    """The run that a trainer works on."""

    def heard(self, message: Message) -> None:
        """The trainer reports."""

    def trainer_is_warm(self) -> None:
        """The process takes up a job at once now."""

    def trainer_died(self, reason: str, is_final: bool) -> None:
        """The process is gone, and another one is on its way; final where it would die of the same."""

    def named_in_logs(self) -> AbstractContextManager[None]:
        """What is logged in it tells of the run."""

    def silence_s(self) -> float:
        """For how long the trainer may do nothing that one can see, as things are."""


class TrainerKeeper:
    """One trainer, whichever process it is just now.

    Args:
        name: what it is called.
        make_trainer: makes a trainer process, not yet started.
        oom_kills: how often the kernel has killed a process of this service for want of memory.
        dying_timeout_s: how long a killed process may take to be gone.
    """

    def __init__(
        self,
        name: str,
        make_trainer: TrainerFactory,
        oom_kills: Callable[[], int | None] = out_of_memory.kills,
        dying_timeout_s: float = DYING_TIMEOUT_S,
    ) -> None:
        self.name = name
        self._user: TrainerUser | None = None
        self._expected_since = 0.0  # before that it had nothing to say
        self.restarts = 0
        self._warm = asyncio.Event()
        self._make_trainer = make_trainer
        self._oom_kills = oom_kills
        self._dying_timeout_s = dying_timeout_s
        self._oom_kills_before: int | None = None
        self._process: TrainerProcess | None = None
        self._asked = 0  # questions so far: an answer comes back with the number of what it answers
        self._answers: dict[int, asyncio.Future[Message | None]] = {}  # those to come, by that number
        self._newest: asyncio.Future[Message | None] | None = None
        self._killed_at: float | None = None
        self._failures = 0
        self._background = Background()

    @property
    def user(self) -> TrainerUser | None:
        """The run that it works on, if any."""
        return self._user

    @user.setter
    def user(self, user: TrainerUser | None) -> None:
        self._user = user
        self._expected_since = time.monotonic()

    @property
    def is_warm(self) -> bool:
        """Whether the process has its compiled code loaded, and takes up what it is told at once."""
        return self._warm.is_set()

    @property
    def is_there(self) -> bool:
        """Whether there is a process, warm or not."""
        return self._process is not None

    @property
    def pid(self) -> int | None:
        """The process's id, while there is one."""
        return self._process.pid if self._process else None

    @property
    def silent_s(self) -> float | None:
        """How long ago the process was heard."""
        return time.monotonic() - self._process.heard_at if self._process else None

    def problem(self) -> str | None:
        """What this service cannot mend by itself, if anything: only then the watchdog is to strike."""
        if self._killed_at is not None and time.monotonic() - self._killed_at > self._dying_timeout_s:
            return f"{self.name} hangs and cannot be killed"
        return None

    async def open(self) -> None:
        """Start the process, now or as soon as that is possible, and watch over it."""
        self._background.spawn(self._watch(), f"watch over {self.name}")
        try:
            await self._start()
        except OSError as error:
            log.error("no trainer process can be started: %s", error)
            self._background.spawn(self._restart(), f"restart of {self.name}")

    async def close(self) -> None:
        """End the process."""
        await self._background.close()
        if self._process is not None:
            await self._process.end()

    def tell(self, message: Message) -> None:
        """Send; `answer` waits until it is done. Raises UnavailableError."""
        if self._process is None:
            raise UnavailableError("the trainer process is starting again; try in a moment")
        if message.kind == "train":  # A job is not answered: the run reports.
            self._expected_since = time.monotonic()
        else:
            self._asked += 1
            self._newest = self._answers[self._asked] = asyncio.get_running_loop().create_future()
            message = replace(message, fields={**message.fields, "number": self._asked})
        try:
            self._process.send(message)
        except BrokenPipeError as error:
            raise UnavailableError("the trainer process has just died; try in a moment") from error

    async def answer(self, timeout_s: float) -> Message | None:
        """What the trainer says when it has done what it was last told; None where it died over it.

        Raises:
            UnavailableError: it did not in time, and was killed.
        """
        if self._newest is None:
            return None
        try:
            async with asyncio.timeout(timeout_s):
                return await asyncio.shield(self._newest)
        except TimeoutError:
            self.kill(f"the trainer did not obey within {timeout_s:.0f} s")
            raise UnavailableError("the trainer did not obey in time, and was killed") from None

    async def _start(self) -> None:
        process = self._make_trainer(self._heard, self._died)
        self._oom_kills_before = self._oom_kills()
        await process.start()
        self._process = process

    def _heard(self, message: Message) -> None:
        if message.kind == "warming":
            return  # Being heard is all there is to it.
        if message.kind == "ready":
            self._warm.set()
            self._failures = 0
            if self.user is not None:
                self.user.trainer_is_warm()
            return
        is_answer = message.kind == "obeyed"
        # What was told while data was read is obeyed late: more was told since, and only that counts.
        is_late = is_answer and message.integer("number") != self._asked
        if self.user is not None and not is_late:
            self.user.heard(message)
        if is_answer:
            self._answers.pop(message.integer("number")).set_result(message)

    def _died(self, reason: str) -> None:
        kills = self._oom_kills()
        # Where this service has killed it, the count speaks of another one.
        is_out_of_memory = self._killed_at is None and kills is not None and kills > (self._oom_kills_before or 0)
        if is_out_of_memory:
            reason = "out of memory: the kernel killed the trainer, which took more than this service may have"
        with self._naming_the_run():
            log.error("%s", reason)
        self._warm.clear()
        self._process = None
        self._killed_at = None
        self.restarts += 1
        self._background.spawn(self._restart(), f"restart of {self.name}")
        answers, self._answers = self._answers, {}
        if self.user is not None:
            self.user.trainer_died(reason, is_final=is_out_of_memory)
        for answer in answers.values():
            answer.set_result(None)

    async def _restart(self) -> None:
        while True:
            pause_s = RESTART_PAUSES_S[min(self._failures, len(RESTART_PAUSES_S) - 1)]
            self._failures += 1
            await asyncio.sleep(pause_s)
            try:
                await self._start()
            except OSError as error:
                log.error("no trainer process can be started: %s", error)
            else:
                return

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            if self._process is None or self.user is None:
                continue
            # Else the next death would be taken for that of another trainer, which the kernel killed.
            self._oom_kills_before = self._oom_kills()
            # What it does before it is warm is no run's, and no run's deadline holds for it.
            allowed_s = self.user.silence_s() if self.is_warm else LOAD_TIMEOUT_S
            silent_s = time.monotonic() - max(self._process.heard_at, self._expected_since)
            if silent_s > allowed_s:
                self.kill(f"the trainer was silent for {silent_s:.1f} s")

    def kill(self, reason: str) -> None:
        """End the process; `trainer_died` follows."""
        with self._naming_the_run():
            log.error("%s; it is killed", reason)
        if self._process is not None:
            self._killed_at = self._killed_at or time.monotonic()
            self._process.kill()

    def _naming_the_run(self) -> AbstractContextManager[None]:
        return self.user.named_in_logs() if self.user is not None else nullcontext()
