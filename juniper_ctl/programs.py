"""Finds the services' own programs, which know more than the standard library does."""

from pathlib import Path

from juniper_ctl.checkout import Checkout
from juniper_ctl.locations import Locations
from juniper_ctl.services import Service


def program_of(service: Service, locations: Locations) -> Path | None:
    """What the unit starts; without an installation, what the checkout would."""
    checkout = Checkout.find()
    folders = [locations.current, *([checkout.environment] if checkout else [])]
    return next((path for folder in folders if (path := folder / "bin" / service.command).exists()), None)
