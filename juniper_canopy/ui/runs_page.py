"""The Runs and snapshots tab: every run ever, what one of them was, several side by side, and what is kept of them.

Its parts find each other through the page's address: `run` is open, `snapshot` is chosen, `compare` are side by side.
"""

from nicegui import ui
from pydantic import JsonValue

from juniper_canopy.ui.assets import CanopyView
from juniper_canopy.ui.page import Page
from juniper_canopy.ui.parameters import TITLES


def build(_: Page) -> None:
    """Lay the tab out."""
    titles: dict[str, JsonValue] = dict(TITLES)
    with ui.element("div").classes("runs"):
        CanopyView("runs").classes("panel area-runs")
        CanopyView("comparison", titles=titles).classes("panel area-comparison")
        CanopyView("run", titles=titles).classes("panel area-run")
        CanopyView("snapshots").classes("panel area-snapshots")
