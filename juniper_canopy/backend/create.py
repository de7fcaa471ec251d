"""Chooses the backend that the settings ask for."""

import logging

from pydantic import SecretStr

from juniper_canopy.backend.fallback import FallbackBackend
from juniper_canopy.backend.protocol import BackendProtocol
from juniper_canopy.backend.service import ServiceBackend
from juniper_canopy.settings import CanopySettings

log = logging.getLogger(__name__)


def create_backend(settings: CanopySettings) -> BackendProtocol:
    """The services, recordings, or recordings until the training service comes. Nothing is sent yet."""
    if settings.is_demo:
        log.warning("demo: recordings of real runs are shown, and nothing is trained")
        return open_demo()
    service = ServiceBackend.connect(
        str(settings.cascor_url).rstrip("/"),
        str(settings.data_url).rstrip("/"),
        cascor_key=_clear(settings.cascor_api_key),
        data_key=_clear(settings.data_api_key),
        verify=settings.client_tls(),
    )
    return service if settings.environment == "production" else FallbackBackend(service, open_demo)


def open_demo() -> BackendProtocol:
    """The recordings, which the dashboard of a real host never loads."""
    from juniper_canopy.backend.demo import DemoBackend

    return DemoBackend()


def _clear(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None
