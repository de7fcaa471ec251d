"""What can be done with the dataset that is shown: train on it, delete it."""

from collections.abc import Callable

from nicegui import ui
from pydantic import ValidationError

from juniper_canopy.ui import pace
from juniper_canopy.ui.elements import alert_line, in_words, push_button
from juniper_canopy.ui.page import Page
from juniper_common.errors import UnprocessableError
from juniper_common.http import ClientError
from juniper_common.wire.datasets import TaskType
from juniper_common.wire.training import DatasetSource, RunParameters, StartTraining

REPLAYED = "The demo replays recorded trainings on spirals and XOR: this dataset cannot be trained on."


class SelectedDataset:
    """One page's buttons; there are none while no dataset is selected.

    Args:
        page: where they stand.
        deleted: called when the dataset is gone.
    """

    def __init__(self, page: Page, deleted: Callable[[], None]) -> None:
        self._page = page
        self._deleted = deleted
        self._dataset_id = ""
        self._task: TaskType = "classification"
        with ui.element("section").classes("panel data-form").props('aria-label="The selected dataset"') as panel:
            with ui.element("div").classes("data-buttons"):
                train = push_button("Train on this", "train", self._train, icon="play_arrow").classes("button-start")
                train.bind_enabled_from(page.reported, "can_start", backward=lambda can: can and self._is_trained_on())
                self._train_button = train
                push_button("Delete", "delete", self._ask, icon="delete").classes("button-stop")
            self._note = ui.label(REPLAYED).classes("hint").mark("replayed")
            self._alert = alert_line("selected-alert")
        self._panel = panel
        self._panel.visible = False
        self._build_question()

    def select(self, dataset_id: str | None, task: TaskType) -> None:
        """Take a dataset; None: there is none."""
        self._alert.text = ""
        self._dataset_id = dataset_id or ""
        self._task = task
        self._panel.visible = dataset_id is not None
        self._note.visible = not self._is_trained_on()
        self._train_button.enabled = self._page.reported.can_start and self._is_trained_on()

    def _is_trained_on(self) -> bool:
        return not self._dataset_id or self._page.backend.trains_on(self._dataset_id)

    def _build_question(self) -> None:
        with ui.dialog() as self._question, ui.card():
            self._asked = ui.label().classes("question")
            with ui.element("div").classes("data-buttons"):
                push_button("Keep it", "keep-it", self._question.close).props("autofocus")
                push_button("Delete it", "delete-it", self._delete).classes("button-stop")

    def _ask(self) -> None:
        self._asked.text = f"Delete {self._dataset_id} for good? Runs that trained on it stay."
        self._question.open()

    async def _delete(self) -> None:
        self._question.close()
        try:
            await self._page.backend.data.delete_dataset(self._dataset_id)
        except ClientError as error:
            self._alert.text = in_words("delete it", error)
            return
        self._deleted()

    async def _train(self) -> None:
        try:
            await self._page.backend.cascor.start(self._request())
        except ClientError as error:
            self._alert.text = in_words("train on it", error)
        except ValidationError as error:
            self._alert.text = in_words("train on it", UnprocessableError.from_validation(error))
        else:
            self._alert.text = ""
            self._page.open_tab("training")
            await self._page.next_dataset.name(self._dataset_id)

    def _request(self) -> StartTraining:
        task = {"task": self._task} if self._task == "regression" else {}
        return StartTraining(
            dataset=DatasetSource(dataset_id=self._dataset_id),
            params=RunParameters.model_validate({"pace": pace.STEPS[self._page.reported.pace_step], **task}),
            start_fresh=True,
        )
