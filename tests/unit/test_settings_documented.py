"""Every setting stands in the example's env file, and nothing else does."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import AliasChoices, BaseModel

from juniper_canopy import older_names
from juniper_canopy.settings import CanopySettings
from juniper_cascor.settings import CascorSettings
from juniper_common.settings import ServiceSettings
from juniper_ctl import backup_settings
from juniper_data.settings import Settings as DataSettings

EXAMPLE = Path(__file__).parents[2] / "conf" / "juniper.env.example"
SECRETS = {"API_KEYS", "DATA_API_KEY", "CASCOR_API_KEY"}
"""These are credentials, files of their own, and do not belong into an env file."""


def names(model: type[BaseModel], prefix: str) -> Iterator[str]:
    """The environment variables of a settings class."""
    for name, field in model.model_fields.items():
        alias = field.validation_alias
        if isinstance(alias, AliasChoices):
            yield from (str(choice) for choice in alias.choices)
        elif isinstance(alias, str):
            yield alias
        elif isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from names(field.annotation, f"{prefix}{name.upper()}__")
        elif name.upper() not in SECRETS:
            yield prefix + name.upper()


def every_name() -> set[str]:
    """The environment variables of all services."""
    classes: tuple[type[ServiceSettings], ...] = (DataSettings, CascorSettings, CanopySettings)
    own = {name for kind in classes for name in names(kind, kind.model_config.get("env_prefix", ""))}
    return own | older_names.NAMES.keys() | backup_settings.DEFAULTS.keys()


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
