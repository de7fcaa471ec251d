"""The Training page: the figures of this moment, the controls, and the four pictures."""

from nicegui import ui

from juniper_canopy.backend.protocol import BackendProtocol
from juniper_canopy.ui.assets import CanopyView
from juniper_canopy.ui.controls import ControlPanel, title
from juniper_canopy.ui.reported import Reported


def build(backend: BackendProtocol, reported: Reported) -> None:
    """Lay the page out. Its parts follow each other as they do on a phone; style sheets place them on a wide screen."""
    _build_header()
    with ui.element("div").classes("training"):
        CanopyView("headline")
        with ui.element("div").classes("grid"):
            CanopyView("chart", metric="loss").classes("panel area-loss")
            with ui.element("div").classes("area-side"):
                ControlPanel(backend, reported)
                _build_growth()
            CanopyView("boundary").classes("panel area-boundary")
            CanopyView("chart", metric="accuracy").classes("panel area-accuracy")
            CanopyView("topology").classes("panel area-topology")


def _build_header() -> None:
    with ui.header(elevated=False).classes("topbar"):
        with ui.element("h1").classes("brand"):
            ui.html("Juniper Canopy", sanitize=False, tag="span")
        CanopyView("status")
        CanopyView("theme")


def _build_growth() -> None:
    with ui.element("section").classes("panel growth-panel").props('aria-labelledby="pool-title"'):
        title("Candidate pool", "pool-title")
        CanopyView("candidates")
        title("Installed units", "growth-title")
        CanopyView("growth").classes("growth-list").props('tabindex="0"')
