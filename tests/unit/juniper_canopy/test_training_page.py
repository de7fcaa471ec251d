import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from nicegui import ui
from nicegui.testing import User
from nicegui.testing.user_simulation import user_simulation

from juniper_canopy.backend.updates import Connected
from juniper_canopy.state.live import LiveState
from juniper_canopy.testing import GrowingBackend
from juniper_canopy.ui import training_page
from juniper_canopy.ui.reported import Reported
from juniper_common.http import InvalidRequestError, UnreachableError
from juniper_common.wire.training import ChangeParameters, StartTraining, TrainingStarted

pytestmark = pytest.mark.anyio


class Refusing(GrowingBackend):
    """Refuses what it is told to refuse."""

    refusal: Exception | None = None

    async def start(self, request: StartTraining) -> TrainingStarted:
        """Begin, or refuse."""
        if self.refusal:
            raise self.refusal
        return await super().start(request)

    async def set_params(self, change: ChangeParameters) -> None:
        """Change, or refuse."""
        if self.refusal:
            raise self.refusal
        await super().set_params(change)


@pytest.fixture
def backend() -> Refusing:
    """A backend that can refuse."""
    return Refusing()


@pytest.fixture
def reported() -> Reported:
    """What the service reported, as the follower would set it."""
    return Reported(can_start=True)


@pytest.fixture
async def user(backend: Refusing, reported: Reported) -> AsyncIterator[User]:
    """A person with the page open."""
    async with user_simulation(root=lambda: training_page.build(backend, reported)) as user:
        await user.open("/")
        yield user


def button(user: User, name: str) -> ui.button:
    """The button of a command."""
    (found,) = user.find(marker=name).elements
    assert isinstance(found, ui.button)
    return found


async def until(condition: Callable[[], object]) -> None:
    """Let handlers work until it is so."""
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


async def test_a_click_changes_no_button(user: User, backend: Refusing) -> None:
    """Start was clicked and sent; nothing was reported yet, so Start is still what can be done."""
    user.find(marker="start").click()
    await until(lambda: backend.calls)

    assert backend.calls == ["start"]
    assert button(user, "start").enabled
    assert not button(user, "pause").enabled


async def test_a_report_changes_the_buttons(user: User, backend: Refusing, reported: Reported, live: LiveState) -> None:
    """Also when somebody else started the run."""
    await backend.start(StartTraining())
    live.apply(Connected(resumed=False))
    live.report(await backend.status())
    reported.follow(live)

    assert not button(user, "start").enabled
    assert button(user, "pause").enabled
    assert button(user, "stop").enabled


async def test_the_form_is_what_is_started(user: User, backend: Refusing) -> None:
    """Dataset, seed and units go along; what is empty does not."""
    user.find(marker="Seed").clear().type("5")
    user.find(marker="start").click()
    await until(lambda: backend.started)

    (request,) = backend.started
    assert request.dataset is not None and request.dataset.generator == "spiral"
    assert request.params.model_dump(exclude_unset=True) == {"seed": 5, "pace": 50}
    assert request.start_fresh


async def test_a_refusal_is_shown_in_words(user: User, backend: Refusing) -> None:
    """What the service says is wrong stands under the controls, and goes with the next success."""
    backend.refusal = InvalidRequestError(422, "max_hidden_units: must be at least 1")
    user.find(marker="start").click()
    await user.should_see("Could not start: max_hidden_units: must be at least 1")

    backend.refusal = None
    user.find(marker="start").click()
    await user.should_not_see("Could not start")


async def test_a_silent_service_is_said_to_be_silent(user: User, backend: Refusing) -> None:
    """No stack trace, no riddle."""
    backend.refusal = UnreachableError("http://127.0.0.1:8200: refused")
    user.find(marker="start").click()

    await user.should_see("Could not start: the service does not answer")


async def test_a_seed_that_cannot_be_is_named(user: User, backend: Refusing) -> None:
    """A value that the wire's model refuses is said before anything is sent."""
    user.find(marker="Seed").clear().type("-3")
    user.find(marker="start").click()

    await user.should_see("Could not start: ")
    assert backend.calls == []


async def test_the_pace_changes_while_it_trains(user: User, backend: Refusing, reported: Reported) -> None:
    """Moving the slider of an active run changes its pace."""
    reported.is_active = True
    (slider,) = user.find(marker="pace").elements
    assert isinstance(slider, ui.slider)
    slider.value = 10
    user.find(marker="pace").trigger("change")
    await until(lambda: backend.changes)

    assert [change.pace for change in backend.changes] == [None]
    await user.should_see("full speed")


async def test_a_refused_pace_goes_back(user: User, backend: Refusing, reported: Reported) -> None:
    """The slider shows the pace that is, not the one that was wished."""
    reported.is_active = True
    backend.refusal = InvalidRequestError(422, "no")
    (slider,) = user.find(marker="pace").elements
    assert isinstance(slider, ui.slider)
    slider.value = 0
    user.find(marker="pace").trigger("change")

    await user.should_see("Could not change the pace: no")
    assert slider.value == reported.pace_step


async def test_an_idle_pace_waits_for_the_start(user: User, backend: Refusing) -> None:
    """Without a run there is nothing to change; the next start takes the pace along."""
    (slider,) = user.find(marker="pace").elements
    assert isinstance(slider, ui.slider)
    slider.value = 0
    user.find(marker="pace").trigger("change")
    user.find(marker="start").click()
    await until(lambda: backend.started)

    assert backend.changes == []
    assert backend.started[0].params.pace == 1


async def test_kept_datasets_can_be_chosen(user: User) -> None:
    """What the data service keeps stands in the list."""
    (select,) = user.find(marker="dataset").elements
    assert isinstance(select, ui.select)
    await user.should_see("Demo spiral")

    await until(lambda: "stored:moon-1.0-feedbeefdeadcafe" in select.options)
