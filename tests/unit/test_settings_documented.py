"""Every setting stands in the example's env file, and nothing else does."""

import re
from pathlib import Path

import pytest

from juniper_canopy import older_names
from juniper_canopy.settings import CanopySettings
from juniper_cascor.settings import CascorSettings
from juniper_common.known_settings import known_settings
from juniper_common.settings import ServiceSettings
from juniper_ctl.backups import settings as backup_settings
from juniper_ctl.services import SERVICES, Service
from juniper_data.settings import Settings as DataSettings

EXAMPLE = Path(__file__).parents[2] / "conf" / "juniper.env.example"
KINDS: dict[str, type[ServiceSettings]] = {"data": DataSettings, "cascor": CascorSettings, "canopy": CanopySettings}


def every_name() -> set[str]:
    """The environment variables of all services."""
    known = [setting for kind in KINDS.values() for setting in known_settings(kind, older_names.NAMES)]
    own = {name for each in known if not each.is_secret for name in (each.name, *each.aliases, *each.older_names)}
    return own | backup_settings.DEFAULTS.keys()


@pytest.fixture
def documented() -> set[str]:
    """The names in the example, each on a line of its own that is commented out."""
    return set(re.findall(r"^#([A-Z]\w+)=", EXAMPLE.read_text(), re.MULTILINE))


def test_every_setting_is_documented(documented: set[str]) -> None:
    """What can be set can be found."""
    assert every_name() - documented == set()


def test_nothing_is_documented_that_is_no_setting(documented: set[str]) -> None:
    """What can be found can be set."""
    assert documented - every_name() == set()


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_every_secret_is_a_credential_that_install_writes(service: Service) -> None:
    """Secrets stand in files of their own, and in no env file."""
    assert {each.name.lower() for each in known_settings(KINDS[service.name]) if each.is_secret} == set(
        service.credentials
    )


def test_every_setting_says_what_it_is_for() -> None:
    """`juniper-data settings` and its siblings print it."""
    known = [each for kind in KINDS.values() for each in known_settings(kind)]
    assert [each.name for each in known if not each.description] == []
