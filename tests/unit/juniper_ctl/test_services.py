import pytest

from juniper_ctl.errors import ControlError, Exit
from juniper_ctl.services import CASCOR, DATA, SERVICES, named


def test_no_word_names_all_services() -> None:
    """They come in the order of their start."""
    assert named([]) == SERVICES


def test_a_service_is_known_by_its_name_its_program_and_its_unit() -> None:
    """The order of the words is not the order of the start."""
    assert named(["juniper-cascor.service", "juniper-data", "data"]) == (DATA, CASCOR)


def test_an_unknown_word_is_an_error_of_its_own() -> None:
    """Exit code 4, and the message tells which there are."""
    with pytest.raises(ControlError, match="there are data, cascor, canopy") as raised:
        named(["data", "postgres"])
    assert raised.value.code is Exit.UNKNOWN_UNIT


def test_the_port_is_the_settings_or_the_default() -> None:
    """An empty setting is none."""
    assert DATA.port({}) == DATA.port({"JUNIPER_DATA_PORT": ""}) == 8100
    assert DATA.port({"JUNIPER_DATA_PORT": "9100"}) == 9100


@pytest.mark.parametrize("text", ["many", "-1", "65536", "²"])
def test_what_is_no_port_is_a_configuration_error(text: str) -> None:
    """The message names the setting."""
    with pytest.raises(ControlError, match="JUNIPER_DATA_PORT") as raised:
        DATA.port({"JUNIPER_DATA_PORT": text})
    assert raised.value.code is Exit.CONFIGURATION
