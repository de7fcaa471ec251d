"""What the controls may do, as it follows from the state that was reported and from nothing else."""

from typing import Literal

from nicegui.binding import bindable_dataclass
from pydantic import JsonValue

from juniper_canopy.state.live import LiveState
from juniper_canopy.ui import pace
from juniper_common.wire.training import Status, TrainingStatus

Command = Literal["start", "pause", "resume", "stop", "reset"]

ACTIVE = ("QUEUED", "STARTED", "PAUSED")


_OVER: frozenset[Command] = frozenset({"start", "reset"})
_ALLOWED: dict[Status, frozenset[Command]] = {
    "QUEUED": frozenset({"stop"}),
    "STARTED": frozenset({"pause", "stop"}),
    "PAUSED": frozenset({"resume", "stop"}),
    "RESUME_READY": frozenset({"start", "resume", "reset"}),
    "REPLAYING": frozenset(),
    "STOPPED": _OVER,
    "COMPLETED": _OVER,
    "FAILED": _OVER,
}


def allowed(status: TrainingStatus | None, *, link_up: bool) -> frozenset[Command]:
    """The commands that the reported state allows; without a connection, none."""
    if status is None or not link_up:
        return frozenset()
    commands = _ALLOWED[status.state_machine.status]
    return commands if status.network_loaded else commands - {"reset"}


@bindable_dataclass
class Reported:
    """One for the process; every page's buttons are bound to it."""

    can_start: bool = False
    can_pause: bool = False
    can_resume: bool = False
    can_stop: bool = False
    can_reset: bool = False
    can_change: bool = False
    is_active: bool = False
    pace_step: int = pace.WATCHABLE
    problem: str = ""
    active_params: dict[str, JsonValue] | None = None
    """The parameters of the run that is active; None without one."""

    def follow(self, live: LiveState) -> None:
        """Take over what was reported last."""
        commands = allowed(live.status, link_up=live.link_up)
        self.can_start = "start" in commands
        self.can_pause = "pause" in commands
        self.can_resume = "resume" in commands
        self.can_stop = "stop" in commands
        self.can_reset = "reset" in commands
        self.problem = _problem(live)
        if live.status is not None:
            self.is_active = live.status.state_machine.status in ACTIVE
            self.can_change = self.is_active and live.link_up
            has_run = live.status.run_id is not None
            self.active_params = live.status.params if self.is_active else None
            self.pace_step = pace.step_of(live.status.pace) if has_run else pace.WATCHABLE


def _problem(live: LiveState) -> str:
    if not live.link_up:
        return "The training service does not answer. Trying again."
    if live.status is None:
        return ""
    state, reason = live.status.state_machine.status, live.status.training_state.reason
    if state == "FAILED":
        return f"The run failed: {reason or 'no reason was given'}"
    return f"The run waits: {reason}" if state == "PAUSED" and reason else ""
