"""The life of the run in the foreground, as values: an event in, the next state and what is to be done out.

It knows no event loop, no process, no disk and no clock; `foreground.py` carries the instructions out.
"""

from dataclasses import dataclass, replace
from typing import Literal

from juniper_common.wire.training import PhaseName, Status

Command = Literal["start", "pause", "resume", "stop", "reset"]


@dataclass(frozen=True)
class State:
    """Where the foreground stands. `run_id` names the run that `status` speaks of."""

    status: Status = "STOPPED"
    phase: PhaseName = "IDLE"
    run_id: str | None = None
    paused_phase: PhaseName | None = None
    outcome: str | None = None
    reason: str | None = None

    @property
    def is_active(self) -> bool:
        """A run is there that has not ended."""
        return self.status in ("STARTED", "PAUSED")


class CommandNotAllowedError(Exception):
    """The command makes no sense in this state."""

    def __init__(self, command: Command, status: Status) -> None:
        super().__init__(f"cannot {command}: training is {status}")
        self.command = command
        self.status = status


# Events: what was asked for, and what the trainer reported.


@dataclass(frozen=True)
class Asked:
    """A person or a program gave a command; `run_id` comes with start."""

    command: Command
    run_id: str | None = None


@dataclass(frozen=True)
class Obeyed:
    """The trainer has done what it was told: only now the state changes, for the run may have ended meanwhile."""

    run_id: str
    command: Literal["pause", "resume", "stop"]


@dataclass(frozen=True)
class PhaseEntered:
    """The trainer works in this phase."""

    run_id: str
    phase: PhaseName


@dataclass(frozen=True)
class Ended:
    """The trainer ended the run by itself: `outcome`, or the reason why it failed."""

    run_id: str
    outcome: str | None = None
    error: str | None = None


@dataclass(frozen=True)
class TrainerDied:
    """The trainer process is gone."""

    reason: str


Event = Asked | Obeyed | PhaseEntered | Ended | TrainerDied

# Instructions


@dataclass(frozen=True)
class TellTrainer:
    """Send the command to the trainer, and wait until it has obeyed."""

    command: Literal["train", "pause", "resume", "stop"]


@dataclass(frozen=True)
class RecordRun:
    """Write the run's status into its record."""

    run_id: str


@dataclass(frozen=True)
class Forget:
    """Drop the network, the dataset and the metrics of the foreground."""


@dataclass(frozen=True)
class Announce:
    """Tell the watchers the new state."""


@dataclass(frozen=True)
class AnnounceEnd:
    """Tell the watchers that the run came to its end."""


Instruction = TellTrainer | RecordRun | Forget | Announce | AnnounceEnd

_ALLOWED: dict[Command, tuple[Status, ...]] = {
    "start": ("STOPPED", "COMPLETED", "FAILED"),
    "pause": ("STARTED",),
    "resume": ("PAUSED",),
    "stop": ("STARTED", "PAUSED"),
    "reset": ("STOPPED", "COMPLETED", "FAILED"),
}


def check_allowed(state: State, command: Command) -> None:
    """Raise CommandNotAllowedError unless the state allows the command."""
    if state.status not in _ALLOWED[command]:
        raise CommandNotAllowedError(command, state.status)


def transition(state: State, event: Event) -> tuple[State, tuple[Instruction, ...]]:
    """The next state, and what is to be done to get there, in order.

    Raises:
        CommandNotAllowedError: for a command that the state does not allow; nothing changes.
    """
    if isinstance(event, Asked):
        check_allowed(state, event.command)
        return _obey(state, event)
    if isinstance(event, TrainerDied):
        return _mourn(state, event)
    if event.run_id != state.run_id or not state.is_active:
        return state, ()  # A report that crossed a command on its way.
    if isinstance(event, Obeyed):
        return _obeyed(state, event)
    if isinstance(event, PhaseEntered):
        if event.phase == state.phase:
            return state, ()
        return replace(state, phase=event.phase), (Announce(),)
    status: Status = "FAILED" if event.error else "COMPLETED"
    ended = replace(state, status=status, phase="IDLE", paused_phase=None, outcome=event.outcome, reason=event.error)
    return ended, (RecordRun(event.run_id), Announce(), AnnounceEnd())


def _obey(state: State, event: Asked) -> tuple[State, tuple[Instruction, ...]]:
    if event.command == "start":
        if event.run_id is None:
            raise ValueError("a start names its run")
        return State("STARTED", run_id=event.run_id), (TellTrainer("train"), RecordRun(event.run_id), Announce())
    if event.command == "reset":
        return State(), (Forget(), Announce())
    return state, (TellTrainer(event.command),)


def _obeyed(state: State, event: Obeyed) -> tuple[State, tuple[Instruction, ...]]:
    changed = {
        "pause": replace(state, status="PAUSED", paused_phase=state.phase),
        "resume": replace(state, status="STARTED", paused_phase=None),
        "stop": replace(state, status="STOPPED", phase="IDLE", paused_phase=None, reason="stopped by command"),
    }
    return changed[event.command], (RecordRun(event.run_id), Announce())


def _mourn(state: State, event: TrainerDied) -> tuple[State, tuple[Instruction, ...]]:
    if not state.is_active or state.run_id is None:
        return state, ()
    failed = replace(state, status="FAILED", phase="IDLE", paused_phase=None, reason=event.reason)
    return failed, (RecordRun(state.run_id), Announce(), AnnounceEnd())
