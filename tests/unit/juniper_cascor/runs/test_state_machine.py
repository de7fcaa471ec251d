"""The state machine: events in, states and instructions out."""

import pytest

from juniper_cascor.runs.state_machine import (
    MOST_RESTARTS,
    Announce,
    AnnounceEnd,
    Asked,
    Begun,
    Command,
    CommandNotAllowedError,
    Ended,
    Enqueue,
    Event,
    Held,
    Obeyed,
    Progressed,
    RecordRun,
    Short,
    State,
    TellTrainer,
    TrainerDied,
    transition,
)
from juniper_common.wire.training import Status

STARTED = State("STARTED", "OUTPUT", epoch=7)
PAUSED = State("PAUSED", "CANDIDATE", paused_phase="CANDIDATE", is_held=True, epoch=7)
CHANGED = (RecordRun(), Announce())
OVER = (*CHANGED, AnnounceEnd())


def test_a_run_begins_when_it_is_its_turn() -> None:
    """Then the trainer gets the whole job."""
    assert transition(State(), Begun()) == (State("STARTED"), (TellTrainer("train"), *CHANGED))


def test_a_run_that_was_paused_begins_paused() -> None:
    """A pause outlives the service."""
    state, instructions = transition(State(is_held=True), Begun())
    assert state == State("PAUSED", paused_phase="IDLE", is_held=True)
    assert instructions[0] == TellTrainer("train")


def test_an_interrupted_run_can_be_held() -> None:
    """It waits for a resume, and says why."""
    state, instructions = transition(State(epoch=7), Held("interrupted"))
    assert (state.status, state.reason, instructions) == ("RESUME_READY", "interrupted", CHANGED)


@pytest.mark.parametrize("command", ["pause", "stop"])
def test_a_command_changes_the_state_only_when_it_was_obeyed(command: Command) -> None:
    """Asking tells the trainer; the state follows when the trainer says that it has obeyed."""
    assert transition(STARTED, Asked(command)) == (STARTED, (TellTrainer(command),))


@pytest.mark.parametrize(
    ("state", "command", "expected", "instructions"),
    [
        (STARTED, "pause", State("PAUSED", "OUTPUT", "OUTPUT", is_held=True, epoch=7), CHANGED),
        (PAUSED, "resume", State("STARTED", "CANDIDATE", epoch=7), CHANGED),
        (STARTED, "stop", State("STOPPED", epoch=7, reason="stopped by command"), OVER),
        (PAUSED, "stop", State("STOPPED", epoch=7, reason="stopped by command"), OVER),
    ],
)
def test_an_obeyed_command_is_recorded_and_announced(
    state: State, command: Command, expected: State, instructions: tuple[object, ...]
) -> None:
    """Each obeyed command leads to its state."""
    assert transition(state, Obeyed(command)) == (expected, instructions)


def test_a_run_that_ended_before_it_obeyed_stays_ended() -> None:
    """A pause that crosses the end of the run on its way changes nothing."""
    ended, _ = transition(STARTED, Ended(outcome="solved"))
    assert transition(ended, Obeyed("pause")) == (ended, ())


_ALLOWED: dict[Command, set[Status]] = {
    "pause": {"STARTED"},
    "resume": {"PAUSED", "RESUME_READY"},
    "stop": {"QUEUED", "STARTED", "PAUSED", "RESUME_READY"},
}


@pytest.mark.parametrize("status", ["QUEUED", "STOPPED", "STARTED", "PAUSED", "RESUME_READY", "COMPLETED", "FAILED"])
@pytest.mark.parametrize("command", sorted(_ALLOWED))
def test_which_command_each_state_allows(command: Command, status: Status) -> None:
    """What a state does not allow is refused, and nothing changes."""
    state = State(status, is_held=status == "PAUSED")
    if status in _ALLOWED[command]:
        transition(state, Asked(command))
    else:
        with pytest.raises(CommandNotAllowedError, match=f"cannot {command}: training is {status}"):
            transition(state, Asked(command))


def test_a_run_that_waits_for_the_disk_can_be_paused() -> None:
    """It does not go on by itself then, when there is room again."""
    short, _ = transition(STARTED, Short("the disk is full"))
    held, _ = transition(transition(short, Asked("pause"))[0], Obeyed("pause"))
    assert transition(held, Short(None))[0].status == "PAUSED"


@pytest.mark.parametrize("status", ["QUEUED", "RESUME_READY"])
def test_a_run_without_a_trainer_is_stopped_at_once(status: Status) -> None:
    """There is nobody to obey."""
    state, instructions = transition(State(status, epoch=7), Asked("stop"))
    assert (state.status, instructions) == ("STOPPED", OVER)


def test_a_held_run_is_resumed_through_the_queue() -> None:
    """It needs a trainer first."""
    state, instructions = transition(State("RESUME_READY", is_held=True, epoch=7), Asked("resume"))
    assert (state, instructions) == (State("QUEUED", epoch=7), (*CHANGED, Enqueue()))


def test_the_end_is_recorded_and_told() -> None:
    """A run that ended by itself is COMPLETED with its outcome."""
    expected = State("COMPLETED", epoch=7, outcome="solved")
    assert transition(STARTED, Ended(outcome="solved")) == (expected, OVER)


@pytest.mark.parametrize("event", [Ended(error="no room"), TrainerDied("no room", is_final=True)])
def test_a_failure_keeps_its_reason(event: Event) -> None:
    """A run whose training fails, or would kill the next trainer too, is FAILED, with the reason."""
    assert transition(PAUSED, event) == (State("FAILED", epoch=7, reason="no room"), OVER)


@pytest.mark.parametrize("state", [STARTED, PAUSED])
def test_the_death_of_a_trainer_does_not_end_the_run(state: State) -> None:
    """Another one takes it up, as it was."""
    after, instructions = transition(state, TrainerDied("shot"))
    assert (after.status, after.restarts, after.reason) == (state.status, 1, "shot")
    assert instructions == (TellTrainer("train"), *CHANGED)


def test_a_run_that_kills_its_trainers_at_one_place_fails() -> None:
    """It is taken up some times, not for ever."""
    state = STARTED
    for _ in range(MOST_RESTARTS):
        state, _ = transition(state, TrainerDied("shot"))
        state, _ = transition(state, Progressed("OUTPUT", 7))
    state, instructions = transition(state, TrainerDied("shot"))
    assert (state.status, instructions) == ("FAILED", OVER)
    assert state.reason == "shot; so it went 4 times at the same place"


def test_a_run_that_comes_further_may_lose_its_trainer_again() -> None:
    """Only deaths at one place count."""
    state, _ = transition(STARTED, TrainerDied("shot"))
    state, _ = transition(state, Progressed("OUTPUT", 8))
    assert (state.restarts, state.epoch, state.reason) == (0, 8, None)


def test_work_that_is_done_again_does_not_count_as_progress() -> None:
    """Taken up from a checkpoint, a run reports epochs that it reported before."""
    state, _ = transition(STARTED, TrainerDied("shot"))
    state, _ = transition(state, Progressed("OUTPUT", 3))
    assert (state.restarts, state.epoch) == (1, 7)


def test_a_run_waits_for_room_on_the_disk_and_goes_on() -> None:
    """It is PAUSED with the reason, though nobody paused it."""
    short, instructions = transition(STARTED, Short("the disk is full"))
    assert (short.status, short.reason, instructions) == ("PAUSED", "the disk is full", CHANGED)
    assert transition(short, Short(None)) == (STARTED, CHANGED)


def test_a_paused_run_stays_paused_when_there_is_room_again() -> None:
    """Who paused it resumes it."""
    short, _ = transition(PAUSED, Short("the disk is full"))
    assert transition(short, Short(None))[0].status == "PAUSED"


def test_a_resume_does_not_make_room() -> None:
    """A run without room stays PAUSED whoever resumes it."""
    short, _ = transition(PAUSED, Short("the disk is full"))
    resumed, _ = transition(short, Obeyed("resume"))
    assert (resumed.status, resumed.is_held, resumed.reason) == ("PAUSED", False, "the disk is full")


def test_the_death_of_an_idle_runs_trainer_changes_nothing() -> None:
    """A run that is over has nothing to lose."""
    state = State("COMPLETED", outcome="solved")
    assert transition(state, TrainerDied("shot")) == (state, ())


def test_a_phase_is_announced_once() -> None:
    """The same phase again is no news."""
    state, instructions = transition(STARTED, Progressed("CANDIDATE", 8))
    assert (state.phase, instructions) == ("CANDIDATE", (Announce(),))
    assert transition(state, Progressed("CANDIDATE", 9))[1] == ()
