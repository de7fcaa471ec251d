"""What is around the tabs: the header, and a panel for each tab that is filled when it is first opened."""

from collections.abc import Callable, Mapping
from typing import get_args

from nicegui import ui
from nicegui.elements.mixins.text_element import TextElement
from nicegui.events import GenericEventArguments
from pydantic import JsonValue

from juniper_canopy.backend.protocol import BackendProtocol
from juniper_canopy.ui import data_page, network_page, runs_page, system_page, training_page
from juniper_canopy.ui.assets import CanopyView
from juniper_canopy.ui.elements import in_words
from juniper_canopy.ui.page import Page, TabName
from juniper_canopy.ui.reported import Reported
from juniper_common.http import ClientError

TITLES: Mapping[TabName, str] = {
    "training": "Training",
    "network": "Network",
    "data": "Data",
    "runs": "Runs and snapshots",
    "system": "System",
}
_BUILDERS: Mapping[TabName, Callable[[Page], None]] = {
    "training": training_page.build,
    "network": network_page.build,
    "data": data_page.build,
    "runs": runs_page.build,
    "system": system_page.build,
}


class Shell:
    """One browser's page.

    Args:
        backend: whom to ask and to command.
        reported: what the controls may do.
        opened: the tab that the page's address names.
        has_login: whether there is a session to end.
    """

    def __init__(self, backend: BackendProtocol, reported: Reported, opened: TabName, *, has_login: bool) -> None:
        with ui.header(elevated=False).classes("topbar"):
            with ui.element("h1").classes("brand"):
                TextElement(tag="span", text="Juniper")
                TextElement(tag="span", text="\u00a0Canopy").classes("brand-rest")
            CanopyView("status").on("command", self._command)
            titles: dict[str, JsonValue] = {str(name): title for name, title in TITLES.items()}
            self._tabs = CanopyView("tabs", opened=opened, titles=titles).on("open", self._opened)
            CanopyView("about").classes("about")
            with ui.element("div").classes("header-buttons"):
                CanopyView("export")
                CanopyView("help")
                CanopyView("theme")
                if has_login:
                    _log_out()
        CanopyView("replay").classes("panel")
        self._page = Page(backend, reported, self._open)
        self._unfilled = {name: self._panel(name, is_open=name == opened) for name in TITLES}
        self._fill(opened)

    def _panel(self, name: TabName, *, is_open: bool) -> ui.element:
        panel = ui.element("section").classes("tab-panel")
        panel.props(f'id="panel-{name}" role="tabpanel" aria-labelledby="tab-{name}" {"" if is_open else "hidden"}')
        return panel

    def _opened(self, event: GenericEventArguments) -> None:
        if (name := tab_name(event.args)) is not None:
            self._fill(name)

    def _fill(self, name: TabName) -> None:
        if (panel := self._unfilled.pop(name, None)) is not None:
            with panel:
                _BUILDERS[name](self._page)

    async def _command(self, event: GenericEventArguments) -> None:
        try:
            if event.args == "pause":
                await self._page.backend.cascor.command("pause")
            elif event.args == "resume":
                await self._page.backend.cascor.command("resume")
        except ClientError as error:
            ui.notify(in_words(str(event.args), error), type="negative")

    def _open(self, name: TabName) -> None:
        self._tabs.call("open", name)


def _log_out() -> None:
    with ui.element("form").props('method="post" action="/logout"'):
        button = ui.element("button").classes("icon-button").props('type="submit" aria-label="Log out" title="Log out"')
        with button:
            ui.icon("logout").classes("log-out-icon").props('aria-hidden="true"')


def tab_name(text: object) -> TabName | None:
    """The tab of that name, or None."""
    return next((name for name in get_args(TabName) if name == text), None)
