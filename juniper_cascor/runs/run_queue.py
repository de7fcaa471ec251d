"""Who trains next: runs wait here for one of the trainers, which work side by side."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator

from juniper_cascor.background import Background
from juniper_cascor.runs.session import Session
from juniper_cascor.runs.trainer_keeper import TrainerFactory, TrainerKeeper
from juniper_common.errors import ConflictError


class RunQueue:
    """Gives each run a trainer, in the order in which they came; the first trainer is warm before there is a run.

    Args:
        make_trainer: makes the factory of the trainer at a place, from 0 on.
        limit: how many train side by side.
        on_begin: told of a run just before it begins.
    """

    def __init__(
        self, make_trainer: Callable[[int], TrainerFactory], limit: int, on_begin: Callable[[Session], None]
    ) -> None:
        self.limit = limit
        self.trainers = [TrainerKeeper("trainer-1", make_trainer(0))]
        self._make_trainer = make_trainer
        self._on_begin = on_begin
        self._waiting: deque[Session] = deque()
        self._background = Background()
        self._is_open = False

    @property
    def waiting(self) -> tuple[Session, ...]:
        """The runs whose turn it is not yet, in order."""
        return tuple(self._waiting)

    @property
    def working(self) -> list[Session]:
        """The runs that have a trainer."""
        return [keeper.user for keeper in self.trainers if isinstance(keeper.user, Session)]

    async def warm_up(self) -> None:
        """Start the first trainer: it is ready for a run some time later."""
        await self.trainers[0].open()

    def open(self) -> None:
        """Let the runs that wait begin, and those that come."""
        self._is_open = True
        self._background.spawn(self._watch(), "progress of runs")
        self._begin_next()

    async def close(self) -> None:
        """Have the runs keep their checkpoints, and end the trainers."""
        self._is_open = False
        await self._background.close()
        await asyncio.gather(*(session.release() for session in self.working))
        await asyncio.gather(*(keeper.close() for keeper in self.trainers))

    def check_free(self) -> None:
        """Raise ConflictError where a run that came now would have to wait."""
        if self._waiting or len(self.working) >= self.limit:
            raise ConflictError(
                f"{len(self.working)} runs train and {len(self._waiting)} wait; POST /v1/runs queues another one"
            )

    def enqueue(self, session: Session) -> None:
        """Let a run begin when it is its turn."""
        self._waiting.append(session)
        self._begin_next()

    def let_go(self, session: Session) -> None:
        """A run is over: the next may have its trainer, or its place in the queue is free."""
        if session in self._waiting:
            self._waiting.remove(session)
        if session.trainer is not None:
            session.trainer.user = None
            session.trainer = None
        self._begin_next()

    def problem(self) -> str | None:
        """What no restart of a trainer mends."""
        return next((problem for keeper in self.trainers if (problem := keeper.problem())), None)

    def _begin_next(self) -> None:
        while self._is_open and self._waiting and (keeper := next(self._free(), None)) is not None:
            session = self._waiting.popleft()
            self._on_begin(session)
            session.begin(keeper)

    def _free(self) -> Iterator[TrainerKeeper]:
        """The trainers without a run, and new ones up to the limit."""
        yield from (keeper for keeper in self.trainers if keeper.user is None)
        if len(self.trainers) < self.limit:
            place = len(self.trainers)
            keeper = TrainerKeeper(f"trainer-{place + 1}", self._make_trainer(place))
            self.trainers.append(keeper)
            self._background.spawn(keeper.open(), f"start of {keeper.name}")
            yield keeper

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            for session in self.working:
                session.check_progress()
