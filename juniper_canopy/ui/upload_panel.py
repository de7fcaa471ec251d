"""Makes datasets of a person's own files: what the file is, and the view that sends it."""

from collections.abc import Callable, Mapping

from nicegui import ui
from nicegui.events import GenericEventArguments

from juniper_canopy.backend.protocol import BackendProtocol
from juniper_canopy.ui.assets import CanopyView
from juniper_canopy.ui.bounds import JsonObject
from juniper_canopy.ui.elements import alert_line, in_words, push_button, title
from juniper_canopy.ui.generator_form import GeneratorForm
from juniper_canopy.ui.making import Making
from juniper_canopy.ui.schema_form import fields_of
from juniper_common.http import ClientError
from juniper_common.wire.datasets import UploadQuery

FORMATS = {"auto": "By content", "csv": "CSV", "json": "JSON", "parquet": "Parquet", "npz": "NPZ"}
LABELS = {"true": "Classes", "false": "Numbers to predict"}

ASKED_FIRST = ("format", "label_column", "one_hot_labels", "name")


class UploadPanel:
    """One page's upload. The file goes from the browser through the dashboard to the data service, held by nobody.

    Args:
        backend: whom to ask for what takes long.
        kept: called with the id of a dataset that is made.
    """

    def __init__(self, backend: BackendProtocol, kept: Callable[[str], None]) -> None:
        self._backend = backend
        self._kept = kept
        self._chosen_file: str | None = None
        self._sent_file = ""
        with ui.element("section").classes("panel data-form").props('aria-labelledby="upload-title"'):
            title("Upload a file", "upload-title")
            self._file = CanopyView("dataset-upload").on("chosen", self._chosen).on("sent", self._sent)
            with ui.element("div").classes("data-fields"):
                self._label = _field(ui.input("Label column", value="label")).mark("label-column")
                self._name = _field(ui.input("Name", placeholder="none")).mark("upload-name")
                self._format = _field(ui.select(FORMATS, label="Format", value="auto")).mark("format")
                self._labels = _field(ui.select(LABELS, label="The labels are", value="true")).mark("labels")
            options = _options()
            self._options = GeneratorForm(options, [field.name for field in fields_of(options)], "Options")
            with ui.element("div").classes("data-buttons"):
                self._button = push_button("Upload", "upload", self._send, icon="upload")
                self._button.enabled = False
            self._making = Making(backend)
            self._alert = alert_line("upload-alert")

    def _chosen(self, event: GenericEventArguments) -> None:
        self._chosen_file = event.args
        self._button.enabled = event.args is not None
        self._alert.text = ""

    def _send(self) -> None:
        self._alert.text = ""
        if (options := self._options.read()) is None:
            self._alert.text = "Could not upload it: an option is not as it must be."
            return
        self._button.enabled = False
        self._sent_file = self._chosen_file or ""
        asked = {
            "format": str(self._format.value),
            "label_column": str(self._label.value),
            "one_hot_labels": str(self._labels.value),
            "name": str(self._name.value).strip(),
        }
        self._file.call("send", options | {name: value for name, value in asked.items() if value})

    async def _sent(self, event: GenericEventArguments) -> None:
        answer: Mapping[str, str] = event.args
        sent = self._sent_file  # another may be chosen and sent while a dataset is made of this one
        self._button.enabled = True
        if "problem" in answer:
            self._alert.text = f"Could not upload it: {_in_the_forms_words(answer['problem'])}"
            return
        try:
            dataset_id = answer.get("dataset_id") or await self._made(answer["job_id"])
        except (ClientError, TimeoutError) as error:
            self._alert.text = _in_the_forms_words(in_words(f"make a dataset of {sent}", error))
            return
        if self._chosen_file == sent:
            self._file.call("clear")
        self._kept(dataset_id)

    async def _made(self, job_id: str) -> str:
        return (await self._making.finished(await self._backend.data.job(job_id))).dataset_id


def _options() -> JsonObject:
    """The schema of what else can be said of a file."""
    schema = UploadQuery.model_json_schema()
    asked = {name: entry for name, entry in schema["properties"].items() if name not in ASKED_FIRST}
    return {**schema, "properties": asked}


def _in_the_forms_words(problem: str) -> str:
    """What a service says of its parameters, said of the fields."""
    for field in fields_of(_options()):
        problem = problem.replace(f"{field.name}=", f"Options, {field.label} = ")
    return problem


def _field(element: ui.input | ui.select) -> ui.input | ui.select:
    return element.props("outlined dense stack-label options-dense hide-bottom-space")
