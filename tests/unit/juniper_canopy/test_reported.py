import pytest

from juniper_canopy.backend.updates import Connected, Disconnected, Reported
from juniper_canopy.state.live import LiveState
from juniper_canopy.ui import choices, pace
from juniper_canopy.ui.reported import Command, allowed
from juniper_canopy.ui.reported import Reported as ReportedState
from juniper_common.wire.training import RunParameters, StartTraining, Status
from tests.unit.juniper_canopy.fake_backend import SPIRALS, FakeBackend

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("status", "commands"),
    [
        ("STOPPED", {"start", "reset"}),
        ("STARTED", {"pause", "stop"}),
        ("PAUSED", {"resume", "stop"}),
        ("QUEUED", {"stop"}),
        ("RESUME_READY", {"start", "resume", "reset"}),
        ("REPLAYING", set()),
        ("COMPLETED", {"start", "reset"}),
        ("FAILED", {"start", "reset"}),
    ],
)
async def test_commands_follow_from_the_reported_state(
    backend: FakeBackend, status: Status, commands: set[Command]
) -> None:
    """Each state allows its own commands."""
    await backend.cascor.start(SPIRALS)
    report = await backend.cascor.status()
    report.state_machine.status = status

    assert allowed(report, link_up=True) == commands


async def test_without_a_network_there_is_nothing_to_reset(backend: FakeBackend) -> None:
    """Only a start makes sense."""
    assert allowed(await backend.cascor.status(), link_up=True) == {"start"}


async def test_without_a_connection_nothing_is_allowed(backend: FakeBackend) -> None:
    """A command could not arrive."""
    assert allowed(await backend.cascor.status(), link_up=False) == frozenset()
    assert allowed(None, link_up=True) == frozenset()


async def test_the_controls_take_over_what_was_reported(live: LiveState, backend: FakeBackend) -> None:
    """Buttons, pace and the problem in words."""
    reported = ReportedState()
    live.apply(Connected(resumed=False))
    await backend.cascor.start(StartTraining(params=RunParameters(pace=200)))
    live.apply(Reported(await backend.cascor.status()))
    reported.follow(live)

    assert (reported.can_start, reported.can_pause, reported.is_active) == (False, True, True)
    assert pace.STEPS[reported.pace_step] == 200
    assert reported.problem == ""
    assert reported.can_change

    live.apply(Disconnected("gone"))
    reported.follow(live)
    assert not reported.can_pause
    assert (reported.is_active, reported.can_change) == (True, False)
    assert "does not answer" in reported.problem


async def test_a_failed_run_says_why(live: LiveState, backend: FakeBackend) -> None:
    """The reason stands on the page."""
    reported = ReportedState()
    report = await backend.cascor.status()
    report.state_machine.status = "FAILED"
    report.training_state.reason = "the trainer died"
    live.apply(Connected(resumed=False))
    live.apply(Reported(report))
    reported.follow(live)

    assert reported.problem == "The run failed: the trainer died"


async def test_a_run_that_waits_for_the_disk_says_so(live: LiveState, backend: FakeBackend) -> None:
    """A pause that nobody asked for has its reason on the page."""
    reported = ReportedState()
    report = await backend.cascor.status()
    report.state_machine.status = "PAUSED"
    report.training_state.reason = "the disk is full"
    live.apply(Connected(resumed=False))
    live.apply(Reported(report))
    reported.follow(live)

    assert reported.problem == "The run waits: the disk is full"


@pytest.mark.parametrize(
    ("value", "step"), [(1, "1 epochs/s"), (0.1, "1 epochs/s"), (70, "50 epochs/s"), (None, "full speed")]
)
def test_a_pace_finds_its_step(value: float | None, step: str) -> None:
    """The nearest step below; null is full speed."""
    assert pace.in_words(pace.step_of(value)) == step


def test_a_stored_dataset_is_started_by_its_id() -> None:
    """Generated ones carry their parameters, kept ones their id."""
    made = choices.start_request("xor", seed=1, pace=None, max_hidden_units=None, candidate_pool_size=4)
    kept = choices.start_request("stored:a-1-b", seed=None, pace=5, max_hidden_units=3, candidate_pool_size=None)

    assert made.dataset is not None and made.dataset.generator == "xor"
    assert made.params.model_dump(exclude_unset=True) == {"pace": None, "seed": 1, "candidate_pool_size": 4}
    assert kept.dataset is not None and kept.dataset.dataset_id == "a-1-b"
    assert kept.params.model_dump(exclude_unset=True) == {"pace": 5, "max_hidden_units": 3}
