import asyncio
import json
from collections.abc import AsyncIterator, Callable

import pytest
from nicegui import ui
from nicegui.testing import User
from nicegui.testing.user_simulation import user_simulation
from pydantic import JsonValue

from juniper_canopy.backend.updates import Connected
from juniper_canopy.state.live import LiveState
from juniper_canopy.ui import training_page
from juniper_canopy.ui.page import Page
from juniper_canopy.ui.reported import Reported
from juniper_common.wire.training import StartTraining
from tests.unit.juniper_canopy.fake_backend import SPIRALS, FakeBackend

pytestmark = pytest.mark.anyio


START = "/v1/training/start"
PARAMS = "/v1/training/params"
RESUME = "/v1/training/resume"


@pytest.fixture
def reported() -> Reported:
    """What the service reported, as the follower would set it."""
    return Reported(can_start=True)


@pytest.fixture
async def user(backend: FakeBackend, reported: Reported) -> AsyncIterator[User]:
    """A person with the page open."""
    async with user_simulation(root=lambda: training_page.build(Page(backend, reported, lambda _: None))) as user:
        await user.open("/")
        yield user


def button(user: User, name: str) -> ui.button:
    """The button of a command."""
    (found,) = user.find(marker=name).elements
    assert isinstance(found, ui.button)
    return found


def started(backend: FakeBackend) -> StartTraining:
    """What was asked to be started."""
    (body,) = backend.way.bodies(START)
    return StartTraining.model_validate_json(body)


async def until(condition: Callable[[], object]) -> None:
    """Let handlers work until it is so."""
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


async def test_a_click_changes_no_button(user: User, backend: FakeBackend) -> None:
    """Start was clicked and sent; nothing was reported yet, so Start is still what can be done."""
    user.find(marker="start").click()
    await until(lambda: backend.service.runs.active)

    assert button(user, "start").enabled
    assert not button(user, "pause").enabled


async def test_a_report_changes_the_buttons(
    user: User, backend: FakeBackend, reported: Reported, live: LiveState
) -> None:
    """Also when somebody else started the run."""
    await backend.cascor.start(SPIRALS)
    live.apply(Connected(resumed=False))
    live.report(await backend.cascor.status())
    reported.follow(live)

    assert not button(user, "start").enabled
    assert button(user, "pause").enabled
    assert button(user, "stop").enabled


async def test_the_form_is_what_is_started(user: User, backend: FakeBackend) -> None:
    """Dataset, seed and units go along; what is empty does not."""
    user.find(marker="Seed").clear().type("5")
    user.find(marker="start").click()
    await until(lambda: backend.service.runs.active)

    request = started(backend)
    assert request.dataset is not None and request.dataset.generator == "spiral"
    assert request.params.model_dump(exclude_unset=True) == {"seed": 5, "pace": 50}
    assert request.start_fresh


async def test_a_second_click_sends_nothing(user: User, backend: FakeBackend) -> None:
    """While the first is on its way."""
    backend.way.is_open.clear()
    user.find(marker="start").click()
    user.find(marker="start").click()
    await until(lambda: backend.way.bodies(START))
    backend.way.is_open.set()
    await until(lambda: backend.service.runs.active)

    assert len(backend.way.bodies(START)) == 1


async def test_a_command_waits_for_the_one_before(user: User, backend: FakeBackend, reported: Reported) -> None:
    """A run that is resumed right after a change has the change when it goes on."""
    await backend.cascor.start(SPIRALS)
    await backend.cascor.command("pause")
    report(reported, RUN)
    reported.can_resume = True
    set_value(user, "Candidate patience", 7)
    backend.way.is_open.clear()
    user.find(marker="apply").click()
    await until(lambda: backend.way.bodies(PARAMS))
    user.find(marker="resume").click()
    await asyncio.sleep(0.05)
    assert backend.way.bodies(RESUME) == []

    backend.way.is_open.set()
    await until(lambda: backend.way.bodies(RESUME))


async def test_a_refusal_is_shown_in_words(user: User, backend: FakeBackend) -> None:
    """What the service says is wrong stands under the controls, and goes with the next success."""
    backend.way.refusal = (422, "max_hidden_units: must be at least 1")
    user.find(marker="start").click()
    await user.should_see("Could not start: max_hidden_units: must be at least 1")

    backend.way.refusal = None
    user.find(marker="start").click()
    await user.should_not_see("Could not start")


async def test_a_silent_service_is_said_to_be_silent(user: User, backend: FakeBackend) -> None:
    """No stack trace, no riddle."""
    backend.way.is_cut = True
    user.find(marker="start").click()

    await user.should_see("Could not start: the service does not answer")


async def test_a_seed_that_cannot_be_is_named(user: User, backend: FakeBackend) -> None:
    """A value that the wire's model refuses is said before anything is sent."""
    user.find(marker="Seed").clear().type("-3")
    user.find(marker="start").click()

    await user.should_see("Could not start: ")
    assert backend.way.bodies(START) == []


async def test_the_pace_changes_while_it_trains(user: User, backend: FakeBackend, reported: Reported) -> None:
    """Moving the slider of an active run changes its pace."""
    await backend.cascor.start(SPIRALS)
    reported.is_active = True
    (slider,) = user.find(marker="pace").elements
    assert isinstance(slider, ui.slider)
    slider.value = 10
    user.find(marker="pace").trigger("change")
    await until(lambda: backend.way.bodies(PARAMS))

    assert (await backend.cascor.status()).pace is None
    await user.should_see("full speed")


async def test_a_refused_pace_goes_back(user: User, backend: FakeBackend, reported: Reported) -> None:
    """The slider shows the pace that is, not the one that was wished."""
    reported.is_active = True
    backend.way.refusal = (422, "no")
    (slider,) = user.find(marker="pace").elements
    assert isinstance(slider, ui.slider)
    slider.value = 0
    user.find(marker="pace").trigger("change")

    await user.should_see("Could not change the pace: no")
    assert slider.value == reported.pace_step


async def test_an_idle_pace_waits_for_the_start(user: User, backend: FakeBackend) -> None:
    """Without a run there is nothing to change; the next start takes the pace along."""
    (slider,) = user.find(marker="pace").elements
    assert isinstance(slider, ui.slider)
    slider.value = 0
    user.find(marker="pace").trigger("change")
    user.find(marker="start").click()
    await until(lambda: backend.service.runs.active)

    assert backend.way.bodies(PARAMS) == []
    assert started(backend).params.pace == 1


def value_of(user: User, label: str) -> float | None:
    """What a parameter's field shows."""
    (field,) = user.find(marker=label).elements
    assert isinstance(field, ui.number)
    value: float | None = field.value
    return value


def set_value(user: User, label: str, value: float | None) -> None:
    """Edit a parameter's field."""
    (field,) = user.find(marker=label).elements
    assert isinstance(field, ui.number)
    field.value = value


def report(reported: Reported, params: dict[str, JsonValue] | None) -> None:
    """A run is active with these parameters, or none is."""
    reported.is_active = params is not None
    reported.active_params = params


RUN: dict[str, JsonValue] = {"max_hidden_units": 64, "candidate_pool_size": 8, "candidate_patience": 12}


async def test_the_fields_show_what_the_run_has(user: User, reported: Reported) -> None:
    """While a run is active its own values; afterwards again what was meant for the next one."""
    set_value(user, "Most hidden units", 5)
    report(reported, RUN)
    assert (value_of(user, "Most hidden units"), value_of(user, "Candidate patience")) == (64, 12)
    assert value_of(user, "Output learning rate") is None

    report(reported, None)
    assert (value_of(user, "Most hidden units"), value_of(user, "Candidate patience")) == (5, None)


async def test_only_what_was_changed_is_sent(user: User, backend: FakeBackend, reported: Reported) -> None:
    """One field was edited: one parameter goes; the pace stays out of it."""
    report(reported, RUN)
    set_value(user, "Candidate patience", 7)
    user.find(marker="apply").click()
    await until(lambda: backend.way.bodies(PARAMS))

    assert [json.loads(body) for body in backend.way.bodies(PARAMS)] == [{"candidate_patience": 7}]


async def test_nothing_changed_is_nothing_sent(user: User, backend: FakeBackend, reported: Reported) -> None:
    """An emptied field means what the run has; nobody resets a parameter by clearing it."""
    report(reported, RUN)
    set_value(user, "Candidate patience", None)
    user.find(marker="apply").click()
    await asyncio.sleep(0.05)

    assert backend.way.bodies(PARAMS) == []


async def test_an_edit_outlives_a_report_of_something_else(user: User, reported: Reported) -> None:
    """What somebody types is not overwritten while the rest follows the run."""
    report(reported, RUN)
    set_value(user, "Candidate patience", 7)
    report(reported, RUN | {"max_hidden_units": 30})

    assert (value_of(user, "Candidate patience"), value_of(user, "Most hidden units")) == (7, 30)


async def test_a_refused_change_is_said_and_kept(user: User, backend: FakeBackend, reported: Reported) -> None:
    """The service's words stand there, and the edit too, to be mended."""
    report(reported, RUN)
    backend.way.refusal = (422, "candidate_patience: at most 100000")
    set_value(user, "Candidate patience", 1e9)
    user.find(marker="apply").click()

    await user.should_see("Could not change the run: candidate_patience: at most 100000")
    assert value_of(user, "Candidate patience") == 1e9


async def test_all_parameters_go_with_the_start(user: User, backend: FakeBackend) -> None:
    """Each by the engine's own name, whole where it is a number of things."""
    set_value(user, "Most hidden units", 20)
    set_value(user, "Correlation threshold", 0.01)
    user.find(marker="start").click()
    await until(lambda: backend.way.bodies(START))

    params = started(backend).params.model_dump(exclude_unset=True)
    assert params == {"pace": 50, "max_hidden_units": 20, "correlation_threshold": 0.01}
    assert isinstance(params["max_hidden_units"], int)


async def test_kept_datasets_can_be_chosen(user: User, backend: FakeBackend) -> None:
    """What the data service keeps stands in the list of a page that opens."""
    made = await backend.data.create_dataset("moon", {"seed": 3})
    await user.open("/")
    (select,) = user.find(marker="dataset").elements
    assert isinstance(select, ui.select)
    await user.should_see("Demo spiral")

    await until(lambda: f"stored:{made.dataset_id}" in select.options)
