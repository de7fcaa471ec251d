"""The Data tab: make, upload and look at datasets, and train on one."""

from nicegui import ui
from nicegui.events import GenericEventArguments

from juniper_canopy.ui.assets import CanopyView
from juniper_canopy.ui.generator_panel import GeneratorPanel, Params
from juniper_canopy.ui.page import Page
from juniper_canopy.ui.selected_dataset import SelectedDataset
from juniper_canopy.ui.upload_panel import UploadPanel


def build(page: Page) -> None:
    """Lay the tab out. Its parts follow each other as they do on a phone; style sheets place them on a wide screen."""
    DataPage(page)


class DataPage:
    """One page's tab. What is shown is the browser's to say; it tells when it is ready, and what is shown then."""

    def __init__(self, page: Page) -> None:
        with ui.element("div").classes("data"):
            self._picture = CanopyView("dataset-picture").classes("panel area-picture")
            self._picture.on("shown", self._shown).on("refused", self._refused)
            with ui.element("div").classes("area-make"):
                self._generator = GeneratorPanel(page.backend, self._preview, self._outdate, self._keep)
                UploadPanel(page.backend, self._keep)
            self._list = CanopyView("dataset-list").classes("panel area-list")
            with ui.element("div").classes("area-facts"):
                self._selected = SelectedDataset(page, self._forget)
                CanopyView("dataset-facts").classes("panel facts")
                CanopyView("boundary-scrubber").classes("panel")

    def _preview(self, generator: str, params: Params) -> None:
        self._picture.call("preview", generator, params)

    def _outdate(self) -> None:
        self._picture.call("outdate")

    def _keep(self, dataset_id: str) -> None:
        self._picture.call("select", dataset_id)
        self._list.call("reload")

    def _forget(self) -> None:
        self._picture.call("select", None)
        self._list.call("reload")

    def _shown(self, event: GenericEventArguments) -> None:
        """A dataset, a preview, or nothing: then the preview of what the form says is shown."""
        shown = event.args
        self._selected.select(shown["id"], shown["task"] or "classification")
        if shown["is_empty"]:
            self._generator.show_preview()

    def _refused(self, event: GenericEventArguments) -> None:
        self._generator.refused(event.args)
