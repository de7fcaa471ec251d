"""Makes datasets: a generator and its fields, a preview that follows them, and the button that keeps the dataset."""

from collections.abc import Callable

from nicegui import ui
from pydantic import JsonValue

from juniper_canopy.api.errors import fields_of
from juniper_canopy.backend.protocol import BackendProtocol
from juniper_canopy.ui.elements import alert_line, in_words, push_button, title
from juniper_canopy.ui.generator_form import GeneratorForm
from juniper_canopy.ui.making import Making
from juniper_canopy.ui.schema_form import common_names
from juniper_common.http import ClientError, ResponseError
from juniper_common.wire.datasets import GeneratorInfo
from juniper_common.wire.errors import FieldProblem

LOOK_AGAIN_S = 2.0
"""While the data service is away."""

PAUSE_S = 0.4
"""After the last change of a field a preview is asked for."""

FIRST = "spiral"

FOLD = "Seed, split and order"

Params = dict[str, JsonValue]


class GeneratorPanel:
    """One page's form.

    Args:
        backend: whom to ask.
        preview: shows what a generator would make of params.
        outdate: says that the preview shows what the form no longer says.
        kept: called with the id of a dataset that is made.
    """

    def __init__(
        self,
        backend: BackendProtocol,
        preview: Callable[[str, Params], None],
        outdate: Callable[[], None],
        kept: Callable[[str], None],
    ) -> None:
        self._backend = backend
        self._preview = preview
        self._outdate = outdate
        self._kept = kept
        self._generators: dict[str, GeneratorInfo] = {}
        self._common: frozenset[str] = frozenset()
        self._form: GeneratorForm | None = None
        self._is_previewing = False
        self._pause: ui.timer | None = None
        with ui.element("section").classes("panel data-form").props('aria-labelledby="make-title"'):
            title("New dataset", "make-title")
            self._generator = ui.select([], label="Generator", on_change=self._choose)
            self._generator.props("outlined dense options-dense").mark("generator")
            self._about = ui.label().classes("hint")
            self._fields = ui.element("div").classes("data-form")
            with ui.element("div").classes("data-fields"):
                self._name = _text("Name", "none").mark("name")
                self._tags = _text("Tags", "none").props('hint="With commas between them"').mark("tags")
            with ui.element("div").classes("data-buttons"):
                self._button = push_button("Create", "create", self._create, icon="add").classes("button-start")
                self._button.enabled = False
            self._making = Making(backend)
            self._alert = alert_line("make-alert")
            self._loading = ui.timer(LOOK_AGAIN_S, self._load)

    def show_preview(self) -> None:
        """Show the preview of what the form says, now and after each change: nothing else is looked at."""
        self._is_previewing = True
        self._send_preview()

    def refused(self, detail: JsonValue) -> None:
        """Say what the service refused of the last preview."""
        self._tell("preview it", fields_of(detail), "" if isinstance(detail, list) else str(detail))

    async def _load(self) -> None:
        try:
            generators = await self._backend.data.list_generators()
        except ClientError as error:
            self._alert.text = in_words("list the generators", error)
            return
        self._loading.cancel()
        self._alert.text = ""
        self._generators = {generator.name: generator for generator in generators}
        self._common = common_names([generator.parameter_schema for generator in generators])
        names = list(self._generators)
        if names:
            self._generator.set_options(names, value=FIRST if FIRST in names else names[0])

    def _choose(self) -> None:
        generator = self._generators[str(self._generator.value)]
        self._about.text = generator.install_hint or generator.description
        self._alert.text = ""
        self._button.enabled = generator.available
        self._fields.clear()
        with self._fields:
            self._form = GeneratorForm(generator.parameter_schema, self._common, FOLD, self._changed)
        if self._is_previewing:
            self._send_preview()

    def _changed(self) -> None:
        self._is_previewing = True
        self._cancel_preview()
        with self._fields:
            self._pause = ui.timer(PAUSE_S, self._send_preview, once=True)

    def _cancel_preview(self) -> None:
        if self._pause is not None:
            self._pause.cancel()
            self._pause = None

    def _send_preview(self) -> None:
        if self._form is None:
            return
        generator = self._generators[str(self._generator.value)]
        self._alert.text = ""
        params = self._form.read() if generator.available else None
        if params is None:
            self._outdate()
        else:
            self._preview(generator.name, params)

    async def _create(self) -> None:
        if self._form is None or (params := self._form.read()) is None:
            return
        self._cancel_preview()  # it would take the place of the dataset that is made
        self._alert.text = ""
        self._button.enabled = False
        try:
            made = await self._backend.data.create_dataset(
                str(self._generator.value),
                params,
                wait=False,
                name=str(self._name.value).strip() or None,
                tags=[tag.strip() for tag in str(self._tags.value).split(",") if tag.strip()],
            )
            self._kept((await self._making.finished(made)).dataset_id)
        except ResponseError as error:
            self._tell("create it", fields_of(error.detail), str(error))
        except (ClientError, TimeoutError) as error:
            self._alert.text = in_words("create it", error)
        finally:
            self._button.enabled = True

    def _tell(self, action: str, problems: tuple[FieldProblem, ...], words: str) -> None:
        others = self._form.place(problems) if self._form else list(problems)
        said = "; ".join(
            f"{problem.path.removeprefix('params').lstrip('.')} {problem.msg}".strip() for problem in others
        )
        if others or not problems:
            self._alert.text = f"Could not {action}: {said or words}"


def _text(label: str, placeholder: str) -> ui.input:
    return ui.input(label, placeholder=placeholder).props("outlined dense stack-label hide-bottom-space hide-hint")
