import pytest

from juniper_canopy.settings import CanopySettings


def test_the_defaults_are_the_services_own_ports() -> None:
    """Without any setting the dashboard finds the services of its host."""
    settings = CanopySettings()

    assert settings.bind == ("127.0.0.1", 8050)
    assert str(settings.data_url) == "http://127.0.0.1:8100/"
    assert str(settings.cascor_url) == "http://127.0.0.1:8200/"


def test_the_address_is_nested(monkeypatch: pytest.MonkeyPatch) -> None:
    """`SERVER__HOST` and `SERVER__PORT`."""
    monkeypatch.setenv("JUNIPER_CANOPY_SERVER__HOST", "0.0.0.0")  # noqa: S104
    monkeypatch.setenv("JUNIPER_CANOPY_SERVER__PORT", "9000")

    assert CanopySettings().bind == ("0.0.0.0", 9000)  # noqa: S104


def test_its_own_name_of_the_training_service_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    """The shared name serves all; the dashboard's own name overrides it."""
    monkeypatch.setenv("JUNIPER_CASCOR_URL", "http://shared:1")
    assert str(CanopySettings().cascor_url) == "http://shared:1/"

    monkeypatch.setenv("JUNIPER_CANOPY_CASCOR_SERVICE_URL", "http://own:2")
    assert str(CanopySettings().cascor_url) == "http://own:2/"


def test_a_wrong_address_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """One line that names the setting, and exit code 78."""
    monkeypatch.setenv("JUNIPER_DATA_URL", "not an address")

    with pytest.raises(SystemExit) as ended:
        CanopySettings.load()

    assert ended.value.code == 78
    assert "JUNIPER_DATA_URL" in capsys.readouterr().err
