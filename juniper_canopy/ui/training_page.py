"""The Training tab: the figures of this moment, the controls, and the four pictures."""

from nicegui import ui

from juniper_canopy.ui.assets import CanopyView
from juniper_canopy.ui.controls import ControlPanel
from juniper_canopy.ui.elements import title
from juniper_canopy.ui.page import Page


def build(page: Page) -> None:
    """Lay the tab out. Its parts follow each other as they do on a phone; style sheets place them on a wide screen."""
    with ui.element("div").classes("training"):
        CanopyView("headline")
        CanopyView("chart-keys")
        with ui.element("div").classes("grid"):
            CanopyView("chart", metric="loss").classes("panel area-loss")
            with ui.element("div").classes("area-side"):
                ControlPanel(page)
                _build_growth()
            CanopyView("boundary").classes("panel area-boundary")
            CanopyView("chart", metric="accuracy").classes("panel area-accuracy")
            CanopyView("topology").classes("panel area-topology")


def _build_growth() -> None:
    with ui.element("section").classes("panel growth-panel").props('aria-labelledby="pool-title"'):
        title("Candidate pool", "pool-title")
        CanopyView("candidates")
        title("Installed units", "growth-title")
        CanopyView("growth").classes("growth-list").props('tabindex="0"')
