"""A keeper and its trainer processes, which are fakes."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator

import pytest

from juniper_cascor.runs import trainer_keeper
from juniper_cascor.runs.channel import Message
from juniper_cascor.runs.trainer_keeper import TrainerKeeper
from juniper_common.errors import UnavailableError
from tests.log_context import told_by
from tests.unit.juniper_cascor.runs.fake_trainers import FakeTrainers, Listener, until

Use = Callable[[TrainerKeeper, FakeTrainers, Listener], Awaitable[None]]


def kept(
    use: Use, *, failures: int = 0, silence_s: float = 30.0, oom_kills: Callable[[], int | None] = lambda: 0
) -> None:
    """Open a keeper with a listener, use it, and close it."""

    async def go() -> None:
        trainers, listener = FakeTrainers(failures), Listener(silence_s)
        keeper = TrainerKeeper("trainer-1", trainers.at(0), oom_kills, dying_timeout_s=0.05)
        keeper.user = listener
        await keeper.open()
        try:
            await use(keeper, trainers, listener)
        finally:
            await keeper.close()

    asyncio.run(go())


def counts(*numbers: int | None) -> Callable[[], int | None]:
    """Says one after the other, then the last for ever."""

    def saying() -> Iterator[int | None]:
        yield from numbers
        while True:
            yield numbers[-1]

    said = saying()
    return lambda: next(said)


def test_a_trainer_that_died_is_replaced() -> None:
    """The run hears why, and again when the next one is warm."""

    async def use(keeper: TrainerKeeper, trainers: FakeTrainers, listener: Listener) -> None:
        trainers.last.say("ready")
        trainers.last.die("the trainer died of SIGSEGV")
        assert not keeper.is_there
        await until(lambda: len(trainers.made) == 2)
        trainers.last.say("ready")
        assert listener.deaths == [("the trainer died of SIGSEGV", False)]
        assert (listener.warm, keeper.is_warm, keeper.restarts) == (2, True, 1)

    kept(use)


def test_out_of_memory_is_final() -> None:
    """The next trainer would take as much."""

    async def use(_: TrainerKeeper, trainers: FakeTrainers, listener: Listener) -> None:
        trainers.last.die("the trainer was killed (SIGKILL)")
        ((reason, is_final),) = listener.deaths
        assert is_final
        assert reason.startswith("out of memory")

    kept(use, oom_kills=counts(3, 4))


@pytest.mark.parametrize("numbers", [(3, 3), (None, None)], ids=["not counted up", "not counted"])
def test_any_other_kill_is_not(numbers: tuple[int | None, int | None]) -> None:
    """The run is taken up again."""

    async def use(_: TrainerKeeper, trainers: FakeTrainers, listener: Listener) -> None:
        trainers.last.die("the trainer was killed (SIGKILL)")
        assert listener.deaths == [("the trainer was killed (SIGKILL)", False)]

    kept(use, oom_kills=counts(*numbers))


def test_a_trainer_that_the_service_killed_was_not_out_of_memory() -> None:
    """The kernel's count may have gone up for one that trained beside it."""

    async def use(keeper: TrainerKeeper, _: FakeTrainers, listener: Listener) -> None:
        keeper.kill("it is silent")
        assert listener.deaths == [("the trainer was killed (SIGKILL)", False)]

    kept(use, oom_kills=counts(3, 4))


def test_an_answer_ends_the_wait() -> None:
    """The run hears it first."""

    async def use(keeper: TrainerKeeper, trainers: FakeTrainers, listener: Listener) -> None:
        keeper.tell(Message("pause", {"run_id": "r1"}))
        trainers.last.obey(trainers.last.told[-1], epoch=7)
        answer = await keeper.answer(1.0)
        assert answer is not None
        assert answer.fields["epoch"] == 7
        assert listener.heard_kinds == ["obeyed"]

    kept(use)


def test_a_late_answer_is_not_taken_for_the_newest() -> None:
    """The same command for the same run, given twice: only the second answer is the second command's."""

    async def use(keeper: TrainerKeeper, trainers: FakeTrainers, listener: Listener) -> None:
        keeper.tell(Message("pause", {"run_id": "r1"}))
        keeper.tell(Message("pause", {"run_id": "r1"}))
        early, late = trainers.last.told
        trainers.last.obey(early)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(keeper.answer(30.0), 0.05)
        assert listener.heard_kinds == []
        trainers.last.obey(late)
        assert await keeper.answer(1.0) is not None

    kept(use)


def test_a_run_that_is_begun_by_the_end_of_another_does_not_take_its_answer() -> None:
    """A stop is answered though the trainer is told its next job meanwhile."""

    class Last(Listener):
        def heard(self, message: Message) -> None:
            super().heard(message)
            keeper.tell(Message("train", {"run_id": "r2"}))

    trainers, keeper = FakeTrainers(), TrainerKeeper("trainer-1", lambda *_: trainers.at(0)(*_), lambda: 0)

    async def go() -> None:
        keeper.user = Last()
        await keeper.open()
        keeper.tell(Message("stop", {"run_id": "r1"}))
        waiting = asyncio.create_task(keeper.answer(30.0))
        await asyncio.sleep(0)
        trainers.last.obey(trainers.last.told[-1])
        answer = await asyncio.wait_for(waiting, 1.0)
        assert answer is not None
        assert answer.fields["run_id"] == "r1"
        await keeper.close()

    asyncio.run(go())


def test_a_trainer_that_does_not_obey_is_killed() -> None:
    """Whoever waits hears so, and the run that it was taken from it."""

    async def use(keeper: TrainerKeeper, trainers: FakeTrainers, listener: Listener) -> None:
        keeper.tell(Message("stop", {"run_id": "r1"}))
        with pytest.raises(UnavailableError, match="did not obey in time"):
            await keeper.answer(0.01)
        assert trainers.made[0].is_gone
        assert len(listener.deaths) == 1

    kept(use)


def test_a_death_ends_the_wait_too() -> None:
    """With no answer."""

    async def use(keeper: TrainerKeeper, trainers: FakeTrainers, _: Listener) -> None:
        keeper.tell(Message("stop", {"run_id": "r1"}))
        trainers.last.die("the trainer died of SIGSEGV")
        assert await keeper.answer(1.0) is None
        with pytest.raises(UnavailableError, match="is starting again"):
            keeper.tell(Message("stop", {"run_id": "r1"}))

    kept(use)


def test_a_trainer_that_has_gone_unnoticed_cannot_be_told() -> None:
    """Its pipe is broken before its end is heard of."""

    async def use(keeper: TrainerKeeper, trainers: FakeTrainers, _: Listener) -> None:
        trainers.last.is_gone = True
        with pytest.raises(UnavailableError, match="has just died"):
            keeper.tell(Message("pause", {"run_id": "r1"}))

    kept(use)


def test_a_silent_trainer_is_killed() -> None:
    """Once it is warm: what compiles is silent for long."""

    async def use(_: TrainerKeeper, trainers: FakeTrainers, listener: Listener) -> None:
        trainers.last.say("ready")
        await until(lambda: bool(listener.deaths))
        assert trainers.made[0].is_gone

    kept(use, silence_s=0.01)


def test_a_trainer_without_a_run_may_be_silent() -> None:
    """The deadline of a run begins with the run: not with what an idle trainer said last."""

    async def use(keeper: TrainerKeeper, trainers: FakeTrainers, listener: Listener) -> None:
        keeper.user = None
        trainers.last.say("ready")
        trainers.last.heard_at -= 3600
        keeper.user = listener
        await asyncio.sleep(1.5)  # The watch has looked.
        assert listener.deaths == []
        keeper.tell(Message("train"))
        await asyncio.sleep(1.5)
        assert listener.deaths == []

    kept(use)


def test_what_warms_up_is_heard_and_nothing_more() -> None:
    """No run is told of it, and none is given to it yet."""

    async def use(keeper: TrainerKeeper, trainers: FakeTrainers, listener: Listener) -> None:
        trainers.last.say("warming")
        was_warm = keeper.is_warm
        trainers.last.say("ready")
        assert (was_warm, keeper.is_warm) == (False, True)
        assert listener.heard_kinds == []

    kept(use)


def test_one_that_cannot_be_killed_is_a_problem() -> None:
    """Only then the watchdog is to strike: no restart of a trainer mends it."""

    async def use(keeper: TrainerKeeper, trainers: FakeTrainers, _: Listener) -> None:
        trainers.last.can_be_killed = False
        keeper.kill("it is silent")
        assert keeper.problem() is None
        await until(lambda: keeper.problem() is not None)
        assert keeper.problem() == "trainer-1 hangs and cannot be killed"
        trainers.last.die("the trainer was killed (SIGKILL)")
        assert keeper.problem() is None

    kept(use)


def test_a_process_that_cannot_be_started_is_tried_again() -> None:
    """From the first start on: a service that is short of processes for a moment does not end of it."""

    async def use(keeper: TrainerKeeper, trainers: FakeTrainers, _: Listener) -> None:
        assert not keeper.is_there
        await until(lambda: keeper.is_there)
        assert len(trainers.made) == 1

    kept(use, failures=2)


def test_deaths_before_it_is_warm_are_followed_by_longer_pauses() -> None:
    """A trainer that cannot live does not keep the host busy."""

    async def use(_: TrainerKeeper, trainers: FakeTrainers, __: Listener) -> None:
        clock = asyncio.get_running_loop().time
        began = clock()
        for n in (1, 2):
            trainers.last.die("the trainer ended with exit code 1")
            await trainers.make(n + 1)
        assert clock() - began >= sum(trainer_keeper.RESTART_PAUSES_S[:2])

    kept(use)


def test_the_death_of_a_trainer_is_logged_of_its_run() -> None:
    """Else the run's log would end without a word."""

    async def use(keeper: TrainerKeeper, trainers: FakeTrainers, listener: Listener) -> None:
        trainers.last.say("ready")
        with told_by("juniper_cascor.runs.trainer_keeper") as told:
            keeper.kill("it hangs")  # which kills the process
        assert [line.run for line in told] == [listener.run_id] * 2

    kept(use)
