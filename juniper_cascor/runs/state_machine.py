"""The life of one run, as values: an event in, the next state and what is to be done out.

It knows no event loop, no process, no disk and no clock; `session.py` carries the instructions out.
"""

from dataclasses import dataclass, replace
from typing import Literal

from juniper_common.wire.training import PhaseName, Status

Command = Literal["pause", "resume", "stop"]

MOST_RESTARTS = 3
"""So often a run is taken up after the death of its trainer without having come further than before."""


@dataclass(frozen=True)
class State:
    """Where a run stands."""

    status: Status = "QUEUED"
    phase: PhaseName = "IDLE"
    paused_phase: PhaseName | None = None
    is_held: bool = False
    """A person paused it; without it a PAUSED run waits for room on the disk alone."""
    shortage: str | None = None
    """Why its trainer cannot write, while it cannot."""
    epoch: int = 0
    """As far as it ever came."""
    restarts: int = 0
    """How often its trainer died since it came so far."""
    outcome: str | None = None
    reason: str | None = None

    @property
    def is_active(self) -> bool:
        """It has a trainer, or is to have one again."""
        return self.status in ("STARTED", "PAUSED")

    @property
    def is_over(self) -> bool:
        """Nothing is going to change it any more."""
        return self.status in ("STOPPED", "COMPLETED", "FAILED")


class CommandNotAllowedError(Exception):
    """The command makes no sense in this state."""

    def __init__(self, command: str, status: Status) -> None:
        super().__init__(f"cannot {command}: training is {status}")


# Events: what was asked for, and what the trainer reported.


@dataclass(frozen=True)
class Begun:
    """It is the run's turn: it has a trainer now."""


@dataclass(frozen=True)
class Held:
    """It was interrupted, and is not to go on by itself."""

    reason: str


@dataclass(frozen=True)
class Asked:
    """A person or a program gave a command."""

    command: Command


@dataclass(frozen=True)
class Obeyed:
    """The trainer has done what it was told: only now the state changes, for the run may have ended meanwhile."""

    command: Command


@dataclass(frozen=True)
class Progressed:
    """The trainer works in this phase, and has come so far."""

    phase: PhaseName
    epoch: int


@dataclass(frozen=True)
class Short:
    """The trainer cannot write a snapshot, and waits until it can; None: it can again."""

    reason: str | None


@dataclass(frozen=True)
class Ended:
    """The trainer ended the run by itself: `outcome`, or the reason why it failed."""

    outcome: str | None = None
    error: str | None = None


@dataclass(frozen=True)
class TrainerDied:
    """The trainer process is gone; `is_final` where another one would die of the same."""

    reason: str
    is_final: bool = False


Event = Begun | Held | Asked | Obeyed | Progressed | Short | Ended | TrainerDied

# Instructions


@dataclass(frozen=True)
class TellTrainer:
    """Send the command to the trainer; `train` is the whole job, from the run's newest checkpoint on."""

    command: Literal["train", "pause", "resume", "stop"]


@dataclass(frozen=True)
class Enqueue:
    """Give the run a trainer when there is one."""


@dataclass(frozen=True)
class RecordRun:
    """Write the run's status into its record."""


@dataclass(frozen=True)
class Announce:
    """Tell the watchers the new state."""


@dataclass(frozen=True)
class AnnounceEnd:
    """Tell the watchers that the run came to its end, and let go of its trainer."""


Instruction = TellTrainer | Enqueue | RecordRun | Announce | AnnounceEnd

_ALLOWED: dict[Command, tuple[Status, ...]] = {
    "pause": ("STARTED",),
    "resume": ("PAUSED", "RESUME_READY"),
    "stop": ("QUEUED", "STARTED", "PAUSED", "RESUME_READY"),
}

_CHANGED = (RecordRun(), Announce())
_OVER = (RecordRun(), Announce(), AnnounceEnd())


def check_allowed(state: State, command: Command) -> None:
    """Raise CommandNotAllowedError unless the state allows the command."""
    waits_for_the_disk = state.status == "PAUSED" and not state.is_held
    if state.status not in _ALLOWED[command] and not (command == "pause" and waits_for_the_disk):
        raise CommandNotAllowedError(command, state.status)


def transition(state: State, event: Event) -> tuple[State, tuple[Instruction, ...]]:
    """The next state, and what is to be done to get there, in order.

    Raises:
        CommandNotAllowedError: for a command that the state does not allow; nothing changes.
    """
    match event:
        case Asked(command):
            check_allowed(state, command)
            return _obey(state, command)
        case Begun() if state.status == "QUEUED":
            # The reason stays until it comes further: why it is taken up again.
            return replace(_settled(state), reason=state.reason), (TellTrainer("train"), *_CHANGED)
        case Held(reason) if not state.is_over:
            return replace(state, status="RESUME_READY", phase="IDLE", reason=reason), _CHANGED
        case _ if not state.is_active:
            return state, ()  # A report that crossed a command on its way.
        case Obeyed(command):
            return _obeyed(state, command)
        case Progressed():
            return _progressed(state, event)
        case Short(reason):
            return _settled(replace(state, shortage=reason)), _CHANGED
        case Ended(outcome, error):
            return _over(state, "FAILED" if error else "COMPLETED", outcome, error), _OVER
        case TrainerDied():
            return _mourn(state, event)
        case _:
            return state, ()


def _obey(state: State, command: Command) -> tuple[State, tuple[Instruction, ...]]:
    if state.is_active:
        return state, (TellTrainer(command),)
    # No trainer has it: nothing is to be waited for.
    if command == "stop":
        return _over(state, "STOPPED", None, "stopped by command"), _OVER
    return replace(state, status="QUEUED", is_held=False, reason=None), (*_CHANGED, Enqueue())


def _obeyed(state: State, command: Command) -> tuple[State, tuple[Instruction, ...]]:
    if command == "stop":
        return _over(state, "STOPPED", None, "stopped by command"), _OVER
    return _settled(replace(state, is_held=command == "pause")), _CHANGED


def _settled(state: State) -> State:
    """PAUSED for as long as a person or the disk wants it so."""
    if state.is_held or state.shortage:
        return replace(state, status="PAUSED", paused_phase=state.phase, reason=state.shortage)
    return replace(state, status="STARTED", paused_phase=None, reason=None)


def _over(state: State, status: Status, outcome: str | None, reason: str | None) -> State:
    return State(status, epoch=state.epoch, outcome=outcome, reason=reason)


def _progressed(state: State, event: Progressed) -> tuple[State, tuple[Instruction, ...]]:
    further = event.epoch > state.epoch
    moved = replace(
        state,
        phase=event.phase,
        paused_phase=event.phase if state.status == "PAUSED" else None,
        epoch=max(state.epoch, event.epoch),
        restarts=0 if further else state.restarts,
        reason=state.shortage if further else state.reason,
    )
    return moved, () if event.phase == state.phase else (Announce(),)


def _mourn(state: State, event: TrainerDied) -> tuple[State, tuple[Instruction, ...]]:
    if event.is_final:
        return _over(state, "FAILED", None, event.reason), _OVER
    if state.restarts >= MOST_RESTARTS:
        reason = f"{event.reason}; so it went {state.restarts + 1} times at the same place"
        return _over(state, "FAILED", None, reason), _OVER
    again = _settled(replace(state, restarts=state.restarts + 1, shortage=None))
    return replace(again, reason=event.reason), (TellTrainer("train"), *_CHANGED)
