"""The three services: their names, units and ports; and those of them that this host has."""

import os
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from juniper_ctl.errors import ControlError, Exit
from juniper_ctl.locations import Locations


class Service(NamedTuple):
    """One service as the operator knows it."""

    name: str
    default_port: int
    port_variable: str
    credentials: tuple[str, ...]
    """Files in the credentials folder without which the systemd unit does not start; they may be empty."""

    @property
    def command(self) -> str:
        """The program, which is the syslog identifier too."""
        return f"juniper-{self.name}"

    @property
    def unit(self) -> str:
        """The systemd unit."""
        return f"juniper-{self.name}.service"

    @property
    def url_variable(self) -> str:
        """Where the other services read its address."""
        return f"JUNIPER_{self.name.upper()}_URL"

    @property
    def host_variable(self) -> str:
        """Where the service reads what to listen on."""
        return self.port_variable.removesuffix("PORT") + "HOST"

    def port(self, environment: Mapping[str, str]) -> int:
        """The port that the settings say.

        Raises:
            ControlError: it is no port.
        """
        text = environment.get(self.port_variable) or str(self.default_port)
        if not (text.isascii() and text.isdigit() and int(text) <= 65535):
            raise ControlError(
                f"{self.port_variable}={text} is no port",
                next_command=f"unset {self.port_variable}, or set it to a number up to 65535 in the env file",
                code=Exit.CONFIGURATION,
            )
        return int(text)

    def host(self, environment: Mapping[str, str]) -> str:
        """Where it is reached from this host, by the address that the settings have it listen on."""
        text = environment.get(self.host_variable) or "127.0.0.1"
        # Every address: so the loopback's too.
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(text, text)  # noqa: S104 - compared, not bound


CA = "juniper_ca"
"""The credential that all services share: whom they believe of each other."""


def _tls(name: str) -> tuple[str, ...]:
    return (f"juniper_{name}_tls_certificate", f"juniper_{name}_tls_key", CA)


DATA = Service(
    "data",
    8100,
    "JUNIPER_DATA_PORT",
    (
        "juniper_data_api_keys",
        "juniper_data_redis_password",
        "juniper_data_postgresql_password",
        "juniper_data_huggingface_token",
        "juniper_data_kaggle_key",
        *_tls("data"),
    ),
)
CASCOR = Service(
    "cascor", 8200, "JUNIPER_CASCOR_PORT", ("juniper_cascor_api_keys", "juniper_cascor_data_api_key", *_tls("cascor"))
)
CANOPY = Service(
    "canopy",
    8050,
    "JUNIPER_CANOPY_SERVER__PORT",
    (
        *("juniper_canopy_api_keys", "juniper_canopy_data_api_key", "juniper_canopy_cascor_api_key"),
        *_tls("canopy"),
    ),
)

SERVICES = (DATA, CASCOR, CANOPY)
"""In the order of their start: each needs those before it."""


def of_this_host(locations: Locations | None = None) -> tuple[Service, ...]:
    """Those whose units are installed, since a host may have some of them alone; all where none is."""
    units = (locations or Locations.of(os.environ)).units
    return tuple(service for service in SERVICES if (units / service.unit).is_file()) or SERVICES


def named(words: Iterable[str]) -> tuple[Service, ...]:
    """The services that the words name (`data`, `juniper-data` or `juniper-data.service`), in starting order.

    No word at all names all that this host has.

    Raises:
        ControlError: a word names none, or one that this host has not.
    """
    here = of_this_host()
    wanted = set()
    for word in words:
        name = word.removeprefix("juniper-").removesuffix(".service")
        if name not in {service.name for service in here}:
            where = "" if here == SERVICES else " on this host"
            raise ControlError(
                f"there is no service {word}{where}; there are {', '.join(service.name for service in here)}",
                next_command="juniper-ctl status",
                code=Exit.UNKNOWN_UNIT,
            )
        wanted.add(name)
    return tuple(service for service in here if not wanted or service.name in wanted)
