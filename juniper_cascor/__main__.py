"""Runs the training service: `juniper-cascor`, or `python -m juniper_cascor`."""

from juniper_cascor.app import create_service
from juniper_cascor.settings import CascorSettings
from juniper_common.server import serve


def main() -> None:
    """Serve until told to stop."""
    settings = CascorSettings.load()
    service = create_service(settings)
    serve(service.app, settings, self_check=service.self_check)


if __name__ == "__main__":
    main()
