import pytest
from pydantic import HttpUrl, ValidationError

from juniper_canopy import older_names
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


def test_where_browsers_find_it_is_an_origin_of_its_own() -> None:
    """As browsers write it: without the port of its scheme, and without a path."""
    settings = CanopySettings(public_url=HttpUrl("https://Lab.example:443/"), allowed_origins=("http://other:1",))

    assert settings.origins == ("http://other:1", "https://lab.example")
    assert settings.is_behind_tls


def test_a_public_address_may_have_no_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Within a network of one's own."""
    monkeypatch.setenv("JUNIPER_CANOPY_PUBLIC_URL", "http://lab:8080")

    assert CanopySettings().origins == ("http://lab:8080",)
    assert not CanopySettings().is_behind_tls


@pytest.mark.parametrize(
    ("certificate", "public_url", "has_secure_cookies", "is_behind_tls"),
    [
        ("PEM", None, True, False),
        ("PEM", "http://lab", False, False),
        ("PEM", "https://lab", True, True),
        ("", "https://lab", True, True),
        ("", None, False, False),
    ],
)
def test_what_browsers_come_by_decides_on_cookies_and_the_public_address_alone_on_hsts(
    certificate: str, public_url: str | None, has_secure_cookies: bool, is_behind_tls: bool
) -> None:
    """HSTS counts for all ports of a host, where other services may speak plain HTTP."""
    settings = CanopySettings.model_validate({"tls_certificate": certificate, "public_url": public_url})

    assert (settings.has_secure_cookies, settings.is_behind_tls) == (has_secure_cookies, is_behind_tls)


def test_an_empty_public_address_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the line of the example has it."""
    monkeypatch.setenv("JUNIPER_CANOPY_PUBLIC_URL", "")

    assert CanopySettings().origins == ()


@pytest.mark.parametrize("url", ["https://lab.example/juniper", "https://user@lab.example", "https://lab.example?a=b"])
def test_a_public_address_is_an_origin_alone(url: str) -> None:
    """The dashboard cannot live below a path."""
    with pytest.raises(ValidationError, match="scheme, host and port alone"):
        CanopySettings(public_url=HttpUrl(url))


def test_an_empty_address_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line of an env file with nothing after its `=` says that there is no training service."""
    monkeypatch.setenv("JUNIPER_ENV", "dev")
    monkeypatch.setenv("JUNIPER_CASCOR_URL", "")

    settings = CanopySettings.load()

    assert settings.cascor_url is None
    assert settings.is_demo


@pytest.mark.parametrize("name", ["JUNIPER_CANOPY_DEMO_MODE", "JUNIPER_CASCOR_URL"])
def test_production_shows_no_recordings(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """It does not start, and one line says what to set instead."""
    monkeypatch.setenv("JUNIPER_CANOPY_DEMO_MODE", "1" if name == "JUNIPER_CANOPY_DEMO_MODE" else "0")
    monkeypatch.setenv("JUNIPER_CASCOR_URL", "" if name == "JUNIPER_CASCOR_URL" else "http://127.0.0.1:8200")

    with pytest.raises(SystemExit) as ended:
        CanopySettings.load()

    (line,) = capsys.readouterr().err.splitlines()
    assert ended.value.code == 78
    assert line.startswith(f"juniper-canopy: {name}: is ")
    assert "set JUNIPER_ENV=demo" in line


def test_older_names_are_read_under_the_names_of_today() -> None:
    """Each has one successor; what is set under both has the successor's value."""
    environment = {"CASCOR_SERVICE_URL": "http://older:1", "CASCOR_DEMO_MODE": "1", "JUNIPER_CANOPY_DEMO_MODE": "0"}

    assert older_names.used(environment) == {
        "CASCOR_SERVICE_URL": "JUNIPER_CANOPY_CASCOR_SERVICE_URL",
        "CASCOR_DEMO_MODE": "JUNIPER_CANOPY_DEMO_MODE",
    }
    assert older_names.renamed(environment) == {
        **environment,
        "JUNIPER_CANOPY_CASCOR_SERVICE_URL": "http://older:1",
    }
