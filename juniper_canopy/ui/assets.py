"""The page's own style sheet and modules, served under an address that changes whenever one of them does."""

import functools
import re
from collections.abc import Mapping
from pathlib import Path

from nicegui import dependencies
from nicegui.element import Element
from nicegui.version import __version__ as nicegui_version
from pydantic import JsonValue

STATIC = Path(__file__).parent / "static"
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

_VIEWS = "components/canopy_view.js"
_VIEW = re.compile(rf'^  "?([\w-]+)"?: async .*import\("{PACKAGE}/([\w/.]+)"\)', re.MULTILINE)
_IMPORT = re.compile(rf'^import [^;]*?"{PACKAGE}/([\w/.]+)"', re.MULTILINE)


def register() -> str:
    """Make the folder known to NiceGUI's import map; returns the folder's address. May be called again."""
    newest = max(path.stat().st_mtime for path in STATIC.rglob("*") if path.is_file())
    dependencies.register_esm(PACKAGE, STATIC, max_time=newest)
    return f"/_nicegui/{nicegui_version}/esm/{dependencies.compute_key(STATIC, max_time=newest)}"


def head_html(address: str, views: frozenset[str]) -> str:
    """The style sheets, and the views' modules fetched ahead: else the browser finds them one import after another."""
    styles = [f'<link rel="stylesheet" href="{address}/{name}">' for name in STYLES]
    preloads = [f'<link rel="modulepreload" href="{address}/{name}">' for name in modules_of(views)]
    return "\n".join(
        [*styles, *preloads, '<meta name="description" content="Watch a cascade-correlation network grow">']
    )


@functools.cache
def modules_of(views: frozenset[str]) -> tuple[str, ...]:
    """The modules that views are made of, by their paths within the folder; files are read once a process."""
    places = _places()
    found: set[str] = set()
    due = {_VIEWS, *(places[view] for view in views)}
    while due:
        found |= due
        due = {name for module in due for name in _IMPORT.findall((STATIC / module).read_text("utf-8"))} - found
    return tuple(sorted(found - {_VIEWS}))


@functools.cache
def _places() -> Mapping[str, str]:
    """The module of each view."""
    return dict(_VIEW.findall((STATIC / _VIEWS).read_text("utf-8")))


class CanopyView(Element, component="static/components/canopy_view.js"):
    """A live part of the page, drawn by the view of this name in `static/components/canopy_view.js`.

    A view's `emit(event, value)` is heard with `.on(event, …)`; its methods are called with `.call(name, …)`.
    """

    def __init__(self, view: str, **options: JsonValue) -> None:
        super().__init__()
        self.view = view
        self._props["view"] = view
        self._props["options"] = options
        self.classes(f"view-{view}")

    def call(self, method: str, *values: JsonValue) -> None:
        """Call a method of the view in the browser."""
        self.run_method("call", method, *values)
