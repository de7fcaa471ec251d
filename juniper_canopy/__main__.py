"""`juniper-canopy`: serves the dashboard until it is told to stop."""

import contextlib
import os

from pydantic import SecretStr

from juniper_canopy.settings import CanopySettings


def main() -> None:
    """Read the settings, connect, serve."""
    settings = CanopySettings.load()
    # NiceGUI reads this when it is imported, so the app is imported only now.
    os.environ["NICEGUI_STORAGE_PATH"] = str(settings.state_dir / "nicegui")
    from juniper_canopy.app import Dashboard
    from juniper_canopy.backend.service import ServiceBackend
    from juniper_common.notify import Notifier
    from juniper_common.server import serve

    backend = ServiceBackend.connect(
        str(settings.cascor_url).rstrip("/"),
        str(settings.data_url).rstrip("/"),
        cascor_key=_clear(settings.cascor_api_key),
        data_key=_clear(settings.data_api_key),
    )
    with contextlib.closing(Notifier()) as notifier:
        dashboard = Dashboard(settings, backend, notifier)
        serve(dashboard.app(), settings, self_check=dashboard.self_check, checks=[dashboard.problem], notifier=notifier)


def _clear(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None


if __name__ == "__main__":
    main()
