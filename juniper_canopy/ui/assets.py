"""The page's own style sheet and modules, served under an address that changes whenever one of them does."""

from pathlib import Path

from nicegui import dependencies
from nicegui.element import Element
from nicegui.version import __version__ as nicegui_version
from pydantic import JsonValue

STATIC = Path(__file__).parent / "static"
FIRST_MODULES = (
    "about",
    "address",
    "bus",
    "class_markers",
    "columns",
    "elements",
    "export",
    "export_button",
    "format",
    "frame",
    "help",
    "keyboard",
    "palette",
    "replay_bar",
    "rest",
    "status",
    "tabs",
    "theme",
    "view",
    "zip",
)
"""What every tab needs; the modules of a tab's own views are fetched when it is opened."""

STYLES = (
    "vendor/uplot/uPlot.min.css",
    "colours.css",
    "page.css",
    "header.css",
    "controls.css",
    "charts.css",
    "training.css",
    "growth.css",
    "data.css",
    "network.css",
    "runs.css",
    "system.css",
)
"""Those of a tab after those of all, which they may narrow."""

PACKAGE = "canopy"
"""Modules import each other as `canopy/NAME.js`."""


def register() -> str:
    """Make the folder known to NiceGUI's import map; returns the folder's address. May be called again."""
    newest = max(path.stat().st_mtime for path in STATIC.rglob("*") if path.is_file())
    dependencies.register_esm(PACKAGE, STATIC, max_time=newest)
    return f"/_nicegui/{nicegui_version}/esm/{dependencies.compute_key(STATIC, max_time=newest)}"


def head_html(address: str) -> str:
    """The style sheets, and the modules fetched ahead: the browser would else find them one import after another."""
    styles = [f'<link rel="stylesheet" href="{address}/{name}">' for name in STYLES]
    modules = [f"{name}.js" for name in FIRST_MODULES]
    preloads = [f'<link rel="modulepreload" href="{address}/{name}">' for name in modules]
    return "\n".join(
        [*styles, *preloads, '<meta name="description" content="Watch a cascade-correlation network grow">']
    )


class CanopyView(Element, component="static/components/canopy_view.js"):
    """A live part of the page, drawn by the view of this name in `static/components/canopy_view.js`.

    A view's `emit(event, value)` is heard with `.on(event, …)`; its methods are called with `.call(name, …)`.
    """

    def __init__(self, view: str, **options: JsonValue) -> None:
        super().__init__()
        self._props["view"] = view
        self._props["options"] = options
        self.classes(f"view-{view}")

    def call(self, method: str, *values: JsonValue) -> None:
        """Call a method of the view in the browser."""
        self.run_method("call", method, *values)
