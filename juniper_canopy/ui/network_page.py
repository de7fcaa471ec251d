"""The Network tab: every weight of the network, and all that is known of one of its units."""

from nicegui import ui

from juniper_canopy.ui.assets import CanopyView
from juniper_canopy.ui.page import Page


def build(_: Page) -> None:
    """Lay the tab out: the crossbar, and beside it the unit that is chosen there."""
    with ui.element("div").classes("network"):
        CanopyView("crossbar").classes("panel")
        CanopyView("unit").classes("panel")
        CanopyView("network-figures").classes("panel")
