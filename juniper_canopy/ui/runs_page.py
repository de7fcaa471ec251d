"""The Runs and snapshots tab: every run ever, what one of them was, several side by side, and what is kept of them.

Its parts find each other through the page's address: `run` is open, `snapshot` is chosen, `compare` are side by side.
"""

from nicegui import ui

from juniper_canopy.ui.assets import CanopyView
from juniper_canopy.ui.page import Page


def build(_: Page) -> None:
    """Lay the tab out."""
    with ui.element("div").classes("runs"):
        CanopyView("runs").classes("panel area-runs")
        CanopyView("comparison").classes("panel area-comparison")
        CanopyView("run").classes("panel area-run")
        CanopyView("snapshots").classes("panel area-snapshots")
