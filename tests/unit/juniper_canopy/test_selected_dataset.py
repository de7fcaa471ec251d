import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from nicegui import ui
from nicegui.testing import User
from nicegui.testing.user_simulation import user_simulation

from juniper_canopy.ui.page import Page, TabName
from juniper_canopy.ui.reported import Reported
from juniper_canopy.ui.selected_dataset import REPLAYED, SelectedDataset
from juniper_cascor.testing import recording
from juniper_common.wire.datasets import TaskType
from juniper_common.wire.training import StartTraining
from tests.unit.juniper_canopy.fake_backend import SPIRALS, FakeBackend

pytestmark = pytest.mark.anyio

ID = recording.load("xor").run.dataset_id


class Opened:
    """The page's one part, once it is built, and the tabs that it turned to."""

    def __init__(self, backend: FakeBackend) -> None:
        self.reported = Reported(can_start=True)
        self.tabs: list[TabName] = []
        self._backend = backend

    def build(self) -> None:
        """Build the part."""
        self.part = SelectedDataset(Page(self._backend, self.reported, self.tabs.append), lambda: None)


@pytest.fixture
def opened(backend: FakeBackend) -> Opened:
    """The page."""
    return Opened(backend)


@pytest.fixture
async def user(opened: Opened) -> AsyncIterator[User]:
    """A person with the page open."""
    async with user_simulation(root=opened.build) as user:
        await user.open("/")
        yield user


async def until(condition: Callable[[], object]) -> None:
    """Let handlers work until it is so."""
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


async def test_without_a_dataset_there_is_nothing_to_do(user: User, opened: Opened) -> None:
    """The buttons come with it, and go with it."""
    await user.should_not_see("Train on this")
    opened.part.select(ID, "classification")
    await user.should_see("Train on this")
    opened.part.select(None, "classification")
    await user.should_not_see("Train on this")


@pytest.mark.parametrize(("task", "asked"), [("classification", None), ("regression", "regression")])
async def test_a_run_is_started_on_it(
    user: User, opened: Opened, backend: FakeBackend, task: TaskType, asked: str | None
) -> None:
    """Anew, at the pace of the Training tab, which is turned to; numbers to predict are a regression."""
    opened.part.select(ID, task)
    user.find(marker="train").click()
    await until(lambda: opened.tabs)

    (sent,) = backend.way.bodies("/v1/training/start")
    request = StartTraining.model_validate_json(sent)
    assert request.dataset is not None
    assert (request.dataset.dataset_id, request.start_fresh) == (ID, True)
    assert (request.params.pace, request.params.seed, request.params.task) == (50, None, asked)
    assert opened.tabs == ["training"]


async def test_a_refused_start_is_said_in_words(user: User, opened: Opened, backend: FakeBackend) -> None:
    """And the tab stays."""
    await backend.cascor.start(SPIRALS)
    opened.part.select(ID, "classification")
    user.find(marker="train").click()

    await user.should_see("Could not train on it")
    assert opened.tabs == []


async def test_what_a_demo_does_not_train_on_says_so(
    user: User, opened: Opened, backend: FakeBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its button is disabled, also when a start is allowed again, and the reason stands beside it."""
    monkeypatch.setattr(backend, "trains_on", lambda dataset_id: dataset_id == ID)
    opened.part.select(ID, "classification")
    (button,) = user.find(marker="train").elements
    assert isinstance(button, ui.button)
    await user.should_not_see(REPLAYED)
    assert button.enabled

    opened.part.select("upload-1.0.0-0", "classification")
    await user.should_see(REPLAYED)
    assert not button.enabled
    opened.reported.can_start = False
    opened.reported.can_start = True
    assert not button.enabled


async def test_it_trains_only_when_a_start_is_allowed(user: User, opened: Opened) -> None:
    """As was reported, not as was clicked."""
    opened.part.select(ID, "classification")
    opened.reported.can_start = False
    (button,) = user.find(marker="train").elements
    assert isinstance(button, ui.button)
    assert not button.enabled
