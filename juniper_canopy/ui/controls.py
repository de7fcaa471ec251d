"""The control panel: commands, pace, and what the next run begins with."""

import asyncio
from collections.abc import Awaitable, Callable

from nicegui import ui
from nicegui.events import GenericEventArguments
from pydantic import ValidationError

from juniper_canopy.ui import choices, pace
from juniper_canopy.ui.elements import alert_line, in_words, push_button, title
from juniper_canopy.ui.page import Page
from juniper_canopy.ui.parameters import ParameterForm
from juniper_cascor.client import Command
from juniper_common.errors import UnprocessableError
from juniper_common.http import ClientError
from juniper_common.wire.training import ChangeParameters


class ControlPanel:
    """One page's controls. Buttons are bound to what was reported; a click only sends its command."""

    def __init__(self, page: Page) -> None:
        self._backend = page.backend
        self._reported = page.reported
        self._next_dataset = page.next_dataset
        self._turn = asyncio.Lock()
        with ui.element("section").classes("panel controls").props('aria-labelledby="controls-title"'):
            title("Controls", "controls-title")
            self._build_buttons()
            self._build_pace()
            self._build_form()
            self._build_messages()
        ui.timer(0, self._take_up_dataset, once=True)
        page.next_dataset.follow(self._take_up_dataset)

    def _build_buttons(self) -> None:
        with ui.element("div").classes("buttons"):
            for name, icon, command in (
                ("start", "play_arrow", self._start),
                ("pause", "pause", self._commanding("pause")),
                ("resume", "not_started", self._commanding("resume")),
                ("stop", "stop", self._commanding("stop")),
                ("reset", "restart_alt", self._commanding("reset")),
            ):
                button = push_button(name.capitalize(), name, self._sending(name, command), icon=icon)
                button.classes(f"button-{name}").bind_enabled_from(self._reported, f"can_{name}")

    def _build_pace(self) -> None:
        with ui.element("div").classes("pace"):
            with ui.element("div").classes("pace-head"):
                ui.label("Pace").classes("field-name")
                label = ui.label().classes("pace-value")
            slider = ui.slider(min=0, max=len(pace.STEPS) - 1, step=1, value=self._reported.pace_step)
            slider.props('aria-label="Pace, in epochs a second" snap').mark("pace")
            slider.bind_value_from(self._reported, "pace_step")
            slider.on("change", self._change_pace)
            label.bind_text_from(slider, "value", backward=lambda step: pace.in_words(int(step)))
        self._pace = slider

    def _build_form(self) -> None:
        with ui.element("div").classes("form"):
            self._dataset = ui.select(choices.options([]), value=choices.DEMO, label="Dataset")
            self._dataset.props("outlined dense options-dense").classes("wide").mark("dataset")
            self._dataset.on("popup-show", self._load_datasets)
            self._seed = _number("Seed", "drawn", low=0).classes("wide")
            self._parameters = ParameterForm(
                self._reported, self._sending("change the run", self._change, lambda: self._refusal)
            )
            self._refusal = alert_line("refusal").classes("wide")

    def _build_messages(self) -> None:
        self._alert = alert_line("alert")
        problem = ui.label().classes("alert").props('role="status"').mark("problem")
        problem.bind_text_from(self._reported, "problem")
        problem.bind_visibility_from(self._reported, "problem", backward=bool)

    def _sending(
        self, name: str, command: Callable[[], Awaitable[object]], alert: Callable[[], ui.label] | None = None
    ) -> Callable[[], Awaitable[None]]:
        is_under_way = False

        async def send() -> None:
            nonlocal is_under_way
            if is_under_way:  # a second click while the first is on its way
                return
            said = alert() if alert else self._alert
            is_under_way = True
            try:
                async with self._turn:  # what was clicked before comes first: a change, and then a resume
                    await command()
                said.text = ""
            except ClientError as error:
                said.text = in_words(name, error)
            except ValidationError as error:
                said.text = in_words(name, UnprocessableError.from_validation(error))
            finally:
                is_under_way = False

        return send

    def _commanding(self, command: Command) -> Callable[[], Awaitable[object]]:
        return lambda: self._backend.cascor.command(command)

    async def _start(self) -> None:
        await self._backend.cascor.start(
            choices.start_request(
                str(self._dataset.value),
                seed=_whole(self._seed),
                pace=pace.STEPS[int(self._pace.value)],
                **self._parameters.given(),
            )
        )

    async def _change(self) -> None:
        change = self._parameters.changed()
        if change.model_fields_set:
            await self._backend.cascor.change(change)

    async def _change_pace(self, _: GenericEventArguments) -> None:
        if not self._reported.is_active:
            return  # the next start takes it along
        try:
            await self._backend.cascor.change(ChangeParameters(pace=pace.STEPS[int(self._pace.value)]))
            self._alert.text = ""
        except ClientError as error:
            self._alert.text = in_words("change the pace", error)
            self._pace.value = self._reported.pace_step

    async def _load_datasets(self) -> None:
        try:
            self._dataset.set_options(choices.options((await self._backend.data.filter_datasets()).datasets))
        except ClientError as error:
            self._alert.text = in_words("list the datasets", error)

    async def _take_up_dataset(self) -> None:
        await self._load_datasets()
        if (named := self._next_dataset.dataset_id) is not None:
            self._dataset.value = choices.stored(named)


def _number(label: str, placeholder: str, *, low: int) -> ui.number:
    field = ui.number(label, placeholder=placeholder, min=low, precision=0)
    return field.props('outlined dense stack-label inputmode="numeric"').mark(label)


def _whole(field: ui.number) -> int | None:
    return None if field.value is None else int(field.value)
