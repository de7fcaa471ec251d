import io
import json
import sys
from collections.abc import Sequence

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from juniper_ctl import credentials
from juniper_ctl.env_file import credential
from juniper_ctl.errors import ControlError, Exit
from juniper_ctl.locations import Locations
from juniper_ctl.main import main
from juniper_ctl.services import SERVICES, Service
from tests.certificates import Authority, pem_of
from tests.unit.juniper_ctl.fake_systemd import READY, FakeSystemd

AUTHORITY = Authority()
PEM = AUTHORITY.issue()
LOCKED_KEY = pem_of(ec.generate_private_key(ec.SECP256R1()), "a passphrase")
EC_PARAMETERS = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----"

KEYS, SHOWN = "juniper_data_api_keys", "juniper_cascor_data_api_key"


@pytest.fixture
def installed(home: Locations) -> Locations:
    """Empty credentials, as an installation writes them."""
    home.credentials.mkdir(parents=True, mode=0o700)
    for name in credentials.names():
        (home.credentials / name).touch(0o600)
    return home


class Restarts:
    """Notes who was restarted, and the keys that data took and cascor showed then."""

    def __init__(self, locations: Locations) -> None:
        self._locations = locations
        self.calls: list[tuple[str, str, str]] = []

    def __call__(self, services: Sequence[Service]) -> None:
        """One restart."""
        taken, shown = (credential(name, self._locations) for name in (KEYS, SHOWN))
        self.calls.append((" ".join(service.name for service in services), taken, shown))


@pytest.fixture
def restarts(systemd: FakeSystemd, installed: Locations) -> Restarts:  # noqa: ARG001
    """All have the key `old`."""
    for name in (KEYS, SHOWN, "juniper_canopy_data_api_key"):
        (installed.credentials / name).write_text("old\n")
    return Restarts(installed)


def type_in(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """What comes from a pipe."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def test_a_value_comes_from_standard_input(
    installed: Locations, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is written for the owner alone, whatever the modes were, and it is not printed."""
    path = installed.credentials / "juniper_data_api_keys"
    path.chmod(0o644)
    installed.credentials.chmod(0o755)
    type_in(monkeypatch, " first, second\n")
    assert main(["credentials", "set", path.name]) == 0
    assert path.read_text() == "first,second\n"
    assert (path.stat().st_mode & 0o777, installed.credentials.stat().st_mode & 0o777) == (0o600, 0o700)
    said = capsys.readouterr().out
    assert "juniper-ctl restart data" in said
    assert "first" not in said


@pytest.mark.parametrize("text", ["", " \n", "two words", "umlaut-ä"])
def test_what_is_no_key_is_refused(installed: Locations, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """An empty one most of all, which would open the service: a pipe that broke gives it."""
    type_in(monkeypatch, text)
    assert main(["credentials", "set", "juniper_data_api_keys"]) == Exit.USAGE
    assert credential("juniper_data_api_keys", installed) == ""


@pytest.mark.parametrize(
    ("name", "pem"),
    [
        ("juniper_data_tls_certificate", PEM.certificate + AUTHORITY.certificate),
        ("juniper_data_tls_key", PEM.key),
        ("juniper_data_tls_key", f"{EC_PARAMETERS}\n{PEM.key.replace('PRIVATE', 'EC PRIVATE')}"),
        ("juniper_ca", f"# Autorität\n{AUTHORITY.certificate}"),
    ],
)
def test_a_pem_keeps_its_lines(
    installed: Locations, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, pem: str
) -> None:
    """Certificates with those that lead to the CA, keys in each of their forms; none is printed."""
    type_in(monkeypatch, pem)
    assert main(["credentials", "set", name]) == 0
    assert (installed.credentials / name).read_text() == pem.strip() + "\n"
    assert (installed.credentials / name).stat().st_mode & 0o777 == 0o600
    assert "BEGIN" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("juniper_data_tls_certificate", "a certificate"),
        ("juniper_data_tls_certificate", PEM.key),
        ("juniper_data_tls_certificate", PEM.certificate + PEM.key),
        ("juniper_data_tls_key", PEM.certificate),
        ("juniper_data_tls_key", LOCKED_KEY),
        ("juniper_ca", "\n"),
    ],
)
def test_what_is_no_pem_of_its_kind_is_refused(
    installed: Locations, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, text: str
) -> None:
    """A key among certificates most of all, which are shown to everybody; and it is not printed."""
    type_in(monkeypatch, text)
    assert main(["credentials", "set", name]) == Exit.USAGE
    assert credential(name, installed) == ""
    assert PEM.key.splitlines()[1] not in "".join(capsys.readouterr())


@pytest.mark.usefixtures("installed")
def test_no_pem_is_typed_at_a_prompt(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """It takes one line, and the shell would get the others."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(PEM.key))
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    assert main(["credentials", "set", "juniper_data_tls_key"]) == Exit.USAGE
    assert "next: juniper-ctl credentials set juniper_data_tls_key <FILE.pem" in capsys.readouterr().err


@pytest.mark.usefixtures("installed")
def test_a_name_that_there_is_not(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Is told with those that there are."""
    type_in(monkeypatch, "key")
    assert main(["credentials", "set", "data_key"]) == Exit.USAGE
    assert "there are juniper_ca, juniper_canopy_api_keys" in capsys.readouterr().err


def test_the_list_tells_all_but_the_values(installed: Locations, capsys: pytest.CaptureFixture[str]) -> None:
    """Set or empty, mode, age, who reads it."""
    (installed.credentials / "juniper_data_api_keys").write_text("hidden\n")
    assert main(["credentials", "list", "--json"]) == 0
    said = capsys.readouterr().out
    rows = {row["name"]: row for row in json.loads(said)["credentials"]}
    assert rows["juniper_data_api_keys"]["is_set"]
    assert not rows["juniper_cascor_data_api_key"]["is_set"]
    assert rows["juniper_cascor_data_api_key"]["read_by"] == ["cascor"]
    assert rows["juniper_data_api_keys"]["mode"] == "600"
    assert "hidden" not in said


def test_what_others_can_read_is_a_configuration_error(
    installed: Locations, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the command that mends it; so is a file that is missing."""
    path = installed.credentials / "juniper_data_api_keys"
    path.chmod(0o640)
    (installed.credentials / "juniper_cascor_api_keys").unlink()
    assert main(["credentials", "list"]) == Exit.CONFIGURATION
    said = capsys.readouterr().out
    assert said.partition("\n")[0].split() == ["CREDENTIAL", "STATE", "MODE", "AGE", "READ", "BY"]
    assert f"  next: chmod 600 {path}" in said
    assert "  next: juniper-ctl install" in said


def test_without_an_installation_there_is_nothing_to_list(home: Locations, capsys: pytest.CaptureFixture[str]) -> None:
    """One line, and what to type."""
    for action in (["list"], ["rotate"]):
        assert main(["credentials", *action]) == Exit.CONFIGURATION
        assert capsys.readouterr().err == f"juniper-ctl: there is no {home.credentials}\n  next: juniper-ctl install\n"


def test_a_rotation_takes_both_keys_before_anybody_shows_the_new_one(restarts: Restarts, installed: Locations) -> None:
    """The service first, then those that call it; the old key stays until it is dropped."""
    assert credentials.rotate(KEYS, installed, finish=False, restarts=restarts) is Exit.OK
    new, old = credential(KEYS, installed).split(",")
    assert (old, len(new)) == ("old", 43)
    assert credential("juniper_canopy_data_api_key", installed) == new
    assert restarts.calls == [("data", f"{new},old", "old"), ("cascor canopy", f"{new},old", new)]

    assert credentials.rotate(KEYS, installed, finish=True, restarts=restarts) is Exit.OK
    assert restarts.calls[2:] == [("data", new, new)]


def test_the_first_key_is_shown_before_it_is_asked_for(restarts: Restarts, installed: Locations) -> None:
    """Who shows a key where none is asked for is served."""
    (installed.credentials / KEYS).write_text("")
    credentials.rotate("data", installed, finish=False, restarts=restarts)
    new = credential(KEYS, installed)
    assert restarts.calls == [("cascor canopy", "", new), ("data", new, new)]


def test_the_old_key_stays_while_a_service_shows_it(restarts: Restarts, installed: Locations) -> None:
    """A rotation that was interrupted is done again before it is finished."""
    (installed.credentials / KEYS).write_text("new,old\n")
    with pytest.raises(ControlError, match="canopy does not show the newest key"):
        credentials.rotate(KEYS, installed, finish=True, restarts=restarts)
    assert credential(KEYS, installed) == "new,old"


def test_who_was_started_with_the_old_key_is_restarted_first(
    restarts: Restarts, systemd: FakeSystemd, installed: Locations
) -> None:
    """The file holds the new key, the process does not."""
    (installed.credentials / KEYS).write_text("new,old\n")
    for name in (SHOWN, "juniper_canopy_data_api_key"):
        (installed.credentials / name).write_text("new\n")
    systemd.set("juniper-cascor.service", READY | {"StateChangeTimestamp": "@1"})
    credentials.rotate(KEYS, installed, finish=True, restarts=restarts)
    assert restarts.calls == [("cascor", "new,old", "new"), ("data", "new", "new")]


@pytest.mark.usefixtures("systemd")
def test_keys_that_no_service_shows_are_rotated_too(installed: Locations) -> None:
    """People show the dashboard's; nobody but the dashboard is to be restarted."""
    assert credentials.rotate("juniper_canopy_api_keys", installed, finish=False) is Exit.OK
    assert credential("juniper_canopy_api_keys", installed)


def test_those_that_run_are_restarted(systemd: FakeSystemd) -> None:
    """No service is started by a rotation."""
    systemd.set("juniper-data.service", READY | {"MainPID": "101"})
    systemd.after("restart", "juniper-data.service", READY | {"MainPID": "102"})
    credentials.restart_running(SERVICES)
    assert systemd.calls() == ["reset-failed juniper-data.service", "restart juniper-data.service"]


@pytest.mark.usefixtures("no_systemd")
def test_files_change_where_nothing_runs(installed: Locations) -> None:
    """The next start reads them. With no name: the keys of each service that has some."""
    (installed.credentials / "juniper_cascor_api_keys").write_text("old\n")
    credentials.rotate(None, installed, finish=False)
    assert credential("juniper_cascor_api_keys", installed).endswith(",old")
    assert credential("juniper_data_api_keys", installed) == ""


@pytest.mark.usefixtures("no_systemd")
def test_no_key_at_all_is_no_reason_to_make_one(installed: Locations) -> None:
    """A key that nobody knows of locks everybody out: it is asked for by name."""
    with pytest.raises(ControlError, match="no service asks for a key"):
        credentials.rotate(None, installed, finish=False)
