"""The System tab: the services and their host as they are now, the last hour of them, and their logs."""

from nicegui import ui

from juniper_canopy.ui.assets import CanopyView
from juniper_canopy.ui.page import Page


def build(_: Page) -> None:
    """Lay the tab out. All of it is live, and the views ask for it themselves."""
    with ui.element("div").classes("system"):
        CanopyView("service-cards")
        CanopyView("system-charts")
        CanopyView("service-logs").classes("panel")
