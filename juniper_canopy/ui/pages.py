"""Puts NiceGUI's pages on the Starlette app."""

from nicegui import core, ui
from starlette.applications import Starlette

from juniper_canopy.backend.protocol import BackendProtocol
from juniper_canopy.ui import assets, training_page
from juniper_canopy.ui.reported import Reported

PAGES = ("/", "/favicon.ico")
NICEGUI_PREFIX = "/_nicegui"


def attach(app: Starlette, backend: BackendProtocol, reported: Reported) -> None:
    """Mount the pages. Once per process: NiceGUI's app is one for the process."""
    address = assets.register()

    @ui.page("/", title="Juniper Canopy")
    def training() -> None:
        ui.add_head_html(assets.head_html(address))
        training_page.build(backend, reported)

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
