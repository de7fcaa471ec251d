"""What a backend tells while it follows training: values, one class for each kind."""

from dataclasses import dataclass

from juniper_common.wire.training import (
    CandidateProgress,
    CascadeAdd,
    MetricsMessage,
    Topology,
    TrainingStatus,
)


@dataclass(frozen=True, slots=True)
class Connected:
    """The stream is there. When it was not resumed, what is held may have holes and must be fetched again."""

    resumed: bool


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The stream is away; the backend goes on trying."""

    reason: str


@dataclass(frozen=True, slots=True)
class Reported:
    """The training service told its state. It speaks for itself here, not for the trainer."""

    status: TrainingStatus


@dataclass(frozen=True, slots=True)
class Measured:
    """The trainer's epochs since its last such message."""

    run_id: str
    seq: int
    metrics: MetricsMessage


@dataclass(frozen=True, slots=True)
class Scored:
    """The candidate pool's scores."""

    run_id: str
    progress: CandidateProgress


@dataclass(frozen=True, slots=True)
class Installed:
    """The best candidate became a hidden unit."""

    run_id: str
    unit: CascadeAdd


@dataclass(frozen=True, slots=True)
class Grown:
    """The network as it now stands."""

    run_id: str
    topology: Topology


@dataclass(frozen=True, slots=True)
class Alive:
    """The trainer's heartbeat, which tells a paused trainer from a dead one."""

    run_id: str | None


Update = Connected | Disconnected | Reported | Measured | Scored | Installed | Grown | Alive

TRAINER_UPDATES = (Measured, Scored, Installed, Grown, Alive)
"""The kinds that prove the trainer itself to be alive: the age of data comes from these alone."""
