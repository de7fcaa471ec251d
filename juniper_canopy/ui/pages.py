"""Puts NiceGUI's pages on the Starlette app."""

from nicegui import core, ui
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount, Route

from juniper_canopy.backend.protocol import BackendProtocol
from juniper_canopy.ui import assets
from juniper_canopy.ui.reported import Reported
from juniper_canopy.ui.script_hashes import ScriptHashes
from juniper_canopy.ui.shell import Shell, tab_name

PAGES = ("/", "/favicon.ico")
NICEGUI_PREFIX = "/_nicegui"


def file_routes() -> list[BaseRoute]:
    """Where NiceGUI serves files and its socket; what else is asked of it, it answers with a page that says so."""
    routes = [route for route in core.app.routes if isinstance(route, Mount | Route)]
    return [route for route in routes if route.path.startswith(NICEGUI_PREFIX)]


def attach(app: Starlette, backend: BackendProtocol, reported: Reported, *, has_login: bool) -> None:
    """Mount the pages. Once per process: NiceGUI's app is one for the process."""
    core.app.add_middleware(ScriptHashes)
    address = assets.register()

    @ui.page("/", title="Juniper Canopy")
    def dashboard(tab: str = "") -> None:
        Shell(backend, reported, tab_name(tab) or "training", has_login=has_login)
        elements = ui.context.client.elements.values()
        views = frozenset(element.view for element in elements if isinstance(element, assets.CanopyView))
        ui.add_head_html(assets.head_html(address, views))

    # Long polling would be a way around the Origin guard, whose business is sockets; /ws/live needs sockets anyhow.
    core.sio.eio.transports = ["websocket"]
    core.app.config.socket_io_js_transports = ["websocket"]

    # FastAPI is a Starlette; run_with asks for no more than that.
    ui.run_with(
        app,  # type: ignore[arg-type]
        title="Juniper Canopy",
        favicon=assets.STATIC / "favicon.svg",
        dark=None,
        language="en-US",
        tailwind=False,
        show_welcome_message=False,
    )
