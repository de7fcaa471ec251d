"""Keeps one trainer process alive: starts it, starts it again when it dies, kills it when it hangs."""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine

from juniper_cascor.runs.channel import Message
from juniper_cascor.runs.trainer_process import TrainerProcess
from juniper_common.errors import UnavailableError

OBEY_TIMEOUT_S = 5.0
WARM_UP_TIMEOUT_S = 60.0
RESTART_PAUSES_S = (0.1, 1.0, 5.0, 30.0)

TrainerFactory = Callable[[Callable[[Message], None], Callable[[str], None]], TrainerProcess]

log = logging.getLogger(__name__)


class TrainerKeeper:
    """The trainer, whichever process it is just now.

    Args:
        make_trainer: makes a trainer process, not yet started.
        on_message: called for each report of a run.
        on_death: called with the reason when the process is gone; a new one is on its way then.
        is_training: whether a run is active, so that silence means that the trainer hangs.
        deadline_s: how long a silence.
    """

    def __init__(
        self,
        make_trainer: TrainerFactory,
        on_message: Callable[[Message], None],
        on_death: Callable[[str], None],
        is_training: Callable[[], bool],
        deadline_s: float,
    ) -> None:
        self._warm = asyncio.Event()
        self._make_trainer = make_trainer
        self._on_message = on_message
        self._on_death = on_death
        self._is_training = is_training
        self._deadline_s = deadline_s
        self._process: TrainerProcess | None = None
        self._obedience: asyncio.Future[None] | None = None
        self._restarts = 0
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def is_warm(self) -> bool:
        """Whether the process has its compiled code loaded, and takes up what it is told at once."""
        return self._warm.is_set()

    @property
    def pid(self) -> int | None:
        """The process's id, while there is one."""
        return self._process.pid if self._process else None

    async def open(self) -> None:
        """Start the process, and watch over it."""
        await self._start()
        self._spawn(self._watch())

    async def close(self) -> None:
        """End the process."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._process is not None:
            await self._process.end()

    def check_there(self) -> None:
        """Raise UnavailableError while there is no process."""
        if self._process is None:
            raise UnavailableError("the trainer process is starting again; try in a moment")

    def tell(self, message: Message) -> None:
        """Send; `obeyed` waits for the answer. Raises UnavailableError."""
        self.check_there()
        assert self._process is not None  # noqa: S101 - checked in the line above
        self._obedience = asyncio.get_running_loop().create_future()
        try:
            self._process.send(message)
        except BrokenPipeError as error:
            raise UnavailableError("the trainer process has just died; try in a moment") from error

    async def obeyed(self) -> None:
        """Wait until the trainer has done what it was last told; one that does not in time is killed.

        Raises:
            UnavailableError: it was killed.
        """
        if self._obedience is None:
            return
        # A trainer that compiles for the first time obeys when it is done.
        timeout_s = OBEY_TIMEOUT_S if self.is_warm else WARM_UP_TIMEOUT_S
        try:
            await asyncio.wait_for(self._obedience, timeout_s)
        except TimeoutError:
            log.error("the trainer did not obey within %.0f s; it is killed", timeout_s)
            if self._process is not None:
                self._process.kill()
            raise UnavailableError("the trainer did not obey in time, and was killed") from None

    async def _start(self) -> None:
        process = self._make_trainer(self._heard, self._died)
        await process.start()
        self._process = process

    def _heard(self, message: Message) -> None:
        if message.kind == "ready":
            self._warm.set()
            self._restarts = 0
            return
        self._on_message(message)
        if message.kind == "obeyed":
            self._release()

    def _died(self, reason: str) -> None:
        log.error("%s", reason)
        self._warm.clear()
        self._process = None
        self._on_death(reason)
        self._release()
        self._spawn(self._restart())

    def _release(self) -> None:
        if self._obedience is not None and not self._obedience.done():
            self._obedience.set_result(None)

    async def _restart(self) -> None:
        pause_s = RESTART_PAUSES_S[min(self._restarts, len(RESTART_PAUSES_S) - 1)]
        self._restarts += 1
        await asyncio.sleep(pause_s)
        await self._start()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(min(1.0, self._deadline_s / 4))
            # Before it is warm the trainer may compile for longer than any deadline.
            if self._process is None or not self.is_warm or not self._is_training():
                continue
            silent_s = time.monotonic() - self._process.heard_at
            if silent_s > self._deadline_s:
                log.error("the trainer was silent for %.1f s; it is killed", silent_s)
                self._process.kill()

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
