"""The state machine: events in, states and instructions out."""

import pytest

from juniper_cascor.runs.state_machine import (
    Announce,
    AnnounceEnd,
    Asked,
    Command,
    CommandNotAllowedError,
    Ended,
    Event,
    Forget,
    Obeyed,
    PhaseEntered,
    RecordRun,
    State,
    TellTrainer,
    TrainerDied,
    transition,
)
from juniper_common.wire.training import Status

STARTED = State("STARTED", "OUTPUT", "r1")
PAUSED = State("PAUSED", "CANDIDATE", "r1", paused_phase="CANDIDATE")


def test_start_tells_the_trainer_and_records() -> None:
    """A start names its run, from which on the state speaks of that run."""
    state, instructions = transition(State(), Asked("start", "r1"))
    assert state == State("STARTED", run_id="r1")
    assert instructions == (TellTrainer("train"), RecordRun("r1"), Announce())


@pytest.mark.parametrize("command", ["pause", "stop"])
def test_a_command_changes_the_state_only_when_it_was_obeyed(command: Command) -> None:
    """Asking tells the trainer; the state follows when the trainer says that it has obeyed."""
    state, instructions = transition(STARTED, Asked(command))
    assert (state, instructions) == (STARTED, (TellTrainer(command),))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("state", "command", "expected"),
    [
        (STARTED, "pause", State("PAUSED", "OUTPUT", "r1", paused_phase="OUTPUT")),
        (PAUSED, "resume", State("STARTED", "CANDIDATE", "r1")),
        (STARTED, "stop", State("STOPPED", "IDLE", "r1", reason="stopped by command")),
        (PAUSED, "stop", State("STOPPED", "IDLE", "r1", reason="stopped by command")),
    ],
)
def test_an_obeyed_command_is_recorded_and_announced(state: State, command: Command, expected: State) -> None:
    """Each obeyed command leads to its state."""
    assert transition(state, Obeyed("r1", command)) == (expected, (RecordRun("r1"), Announce()))  # type: ignore[arg-type]


def test_a_run_that_ended_before_it_obeyed_stays_ended() -> None:
    """A pause that crosses the end of the run on its way changes nothing."""
    ended, _ = transition(STARTED, Ended("r1", outcome="solved"))
    assert transition(ended, Obeyed("r1", "pause")) == (ended, ())


_ALLOWED: dict[Command, set[Status]] = {
    "start": {"STOPPED", "COMPLETED", "FAILED"},
    "pause": {"STARTED"},
    "resume": {"PAUSED"},
    "stop": {"STARTED", "PAUSED"},
    "reset": {"STOPPED", "COMPLETED", "FAILED"},
}


@pytest.mark.parametrize("status", ["STOPPED", "STARTED", "PAUSED", "COMPLETED", "FAILED"])
@pytest.mark.parametrize("command", sorted(_ALLOWED))
def test_which_command_each_state_allows(command: Command, status: Status) -> None:
    """What a state does not allow is refused, and nothing changes."""
    state = State(status, run_id="r1")
    if status in _ALLOWED[command]:
        transition(state, Asked(command, "r2"))
    else:
        with pytest.raises(CommandNotAllowedError, match=f"cannot {command}: training is {status}"):
            transition(state, Asked(command, "r2"))


def test_reset_forgets() -> None:
    """After a reset the foreground is as new."""
    assert transition(State("COMPLETED", run_id="r1"), Asked("reset")) == (State(), (Forget(), Announce()))


def test_the_end_is_recorded_and_told() -> None:
    """A run that ended by itself is COMPLETED with its outcome."""
    state, instructions = transition(STARTED, Ended("r1", outcome="solved"))
    assert state == State("COMPLETED", "IDLE", "r1", outcome="solved")
    assert instructions == (RecordRun("r1"), Announce(), AnnounceEnd())


@pytest.mark.parametrize(
    ("event", "reason"), [(Ended("r1", error="no room"), "no room"), (TrainerDied("shot"), "shot")]
)
def test_a_failure_keeps_its_reason(event: Event, reason: str) -> None:
    """A run whose trainer fails or dies is FAILED, with the reason."""
    state, instructions = transition(PAUSED, event)
    assert state == State("FAILED", "IDLE", "r1", reason=reason)
    assert instructions == (RecordRun("r1"), Announce(), AnnounceEnd())


def test_an_idle_trainers_death_changes_nothing() -> None:
    """Without an active run there is nothing to fail."""
    state = State("COMPLETED", run_id="r1", outcome="solved")
    assert transition(state, TrainerDied("shot")) == (state, ())


def test_a_phase_is_announced_once() -> None:
    """The same phase again is no news."""
    state, instructions = transition(STARTED, PhaseEntered("r1", "CANDIDATE"))
    assert (state.phase, instructions) == ("CANDIDATE", (Announce(),))
    assert transition(state, PhaseEntered("r1", "CANDIDATE")) == (state, ())


def test_reports_of_another_run_are_ignored() -> None:
    """What an earlier run still reports does not touch this one."""
    assert transition(STARTED, Ended("r0", outcome="solved")) == (STARTED, ())
