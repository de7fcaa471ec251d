"""Settings under the names that they had before the dashboard had a prefix of its own: they work, with a warning."""

from collections.abc import Mapping

NAMES: Mapping[str, str] = {
    "CASCOR_SERVICE_URL": "JUNIPER_CANOPY_CASCOR_SERVICE_URL",
    "CASCOR_DEMO_MODE": "JUNIPER_CANOPY_DEMO_MODE",
    "CASCOR_SERVER_HOST": "JUNIPER_CANOPY_SERVER__HOST",
    "CASCOR_SERVER_PORT": "JUNIPER_CANOPY_SERVER__PORT",
}
"""The name of today for each."""


def used(environment: Mapping[str, str]) -> dict[str, str]:
    """The older names that an environment sets, with the name of today for each."""
    return {older: name for older, name in NAMES.items() if older in environment}


def renamed(environment: Mapping[str, str]) -> dict[str, str]:
    """The same environment under the names of today; what is set under both has the value of the name of today."""
    return {name: environment[older] for older, name in used(environment).items()} | dict(environment)
