"""The control panel: commands, pace, and what the next run begins with."""

from collections.abc import Awaitable, Callable

from nicegui import ui
from nicegui.events import GenericEventArguments
from pydantic import ValidationError

from juniper_canopy.backend.protocol import BackendProtocol
from juniper_canopy.ui import choices, pace
from juniper_canopy.ui.reported import Reported
from juniper_common.errors import UnprocessableError
from juniper_common.http import ClientError, UnreachableError
from juniper_common.wire.training import ChangeParameters


class ControlPanel:
    """One page's controls. Buttons are bound to what was reported; a click only sends its command."""

    def __init__(self, backend: BackendProtocol, reported: Reported) -> None:
        self._backend = backend
        self._reported = reported
        self._under_way = False
        with ui.element("section").classes("panel controls").props('aria-labelledby="controls-title"'):
            title("Controls", "controls-title")
            self._build_buttons()
            self._build_pace()
            self._build_form()
            self._build_messages()
        ui.timer(0, self._load_datasets, once=True)

    def _build_buttons(self) -> None:
        with ui.element("div").classes("buttons"):
            for name, icon, command in (
                ("start", "play_arrow", self._start),
                ("pause", "pause", self._backend.pause),
                ("resume", "not_started", self._backend.resume),
                ("stop", "stop", self._backend.stop),
                ("reset", "restart_alt", self._backend.reset),
            ):
                button = ui.button(name.capitalize(), icon=icon, color=None, on_click=self._sending(name, command))
                button.props("unelevated no-caps").classes(f"button button-{name}").mark(name)
                button.bind_enabled_from(self._reported, f"can_{name}")

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
            self._seed = _number("Seed", "drawn", low=0)
            self._units = _number("Most units", "default", low=1)
            self._pool = _number("Candidate pool", "default", low=1).classes("wide")

    def _build_messages(self) -> None:
        self._alert = ui.label().classes("alert").props('role="alert"').mark("alert")
        self._alert.bind_visibility_from(self._alert, "text", backward=bool)
        problem = ui.label().classes("alert").props('role="status"').mark("problem")
        problem.bind_text_from(self._reported, "problem")
        problem.bind_visibility_from(self._reported, "problem", backward=bool)

    def _sending(self, name: str, command: Callable[[], Awaitable[object]]) -> Callable[[], Awaitable[None]]:
        async def send() -> None:
            if self._under_way:  # a second click while the first is on its way
                return
            self._under_way = True
            try:
                await command()
                self._alert.text = ""
            except ClientError as error:
                self._alert.text = in_words(name, error)
            except ValidationError as error:
                self._alert.text = in_words(name, UnprocessableError.from_validation(error))
            finally:
                self._under_way = False

        return send

    async def _start(self) -> None:
        await self._backend.start(
            choices.start_request(
                str(self._dataset.value),
                seed=_whole(self._seed),
                pace=pace.STEPS[int(self._pace.value)],
                max_hidden_units=_whole(self._units),
                candidate_pool_size=_whole(self._pool),
            )
        )

    async def _change_pace(self, _: GenericEventArguments) -> None:
        if not self._reported.is_active:
            return  # the next start takes it along
        try:
            await self._backend.set_params(ChangeParameters(pace=pace.STEPS[int(self._pace.value)]))
            self._alert.text = ""
        except ClientError as error:
            self._alert.text = in_words("change the pace", error)
            self._pace.value = self._reported.pace_step

    async def _load_datasets(self) -> None:
        try:
            self._dataset.set_options(choices.options(await self._backend.stored_datasets()))
        except ClientError as error:
            self._alert.text = in_words("list the datasets", error)


def title(text: str, identifier: str) -> None:
    """A panel's heading."""
    with ui.element("h2").classes("panel-title").props(f'id="{identifier}"'):
        ui.html(text, sanitize=False, tag="span")


def in_words(action: str, error: Exception) -> str:
    """An error as a person reads it."""
    if isinstance(error, UnreachableError):
        return f"Could not {action}: the service does not answer ({error})."
    return f"Could not {action}: {error}"


def _number(label: str, placeholder: str, *, low: int) -> ui.number:
    field = ui.number(label, placeholder=placeholder, min=low, precision=0)
    return field.props('outlined dense stack-label inputmode="numeric"').mark(label)


def _whole(field: ui.number) -> int | None:
    return None if field.value is None else int(field.value)
