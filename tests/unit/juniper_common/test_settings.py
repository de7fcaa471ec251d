"""Settings from the environment and from credentials."""

from pathlib import Path

import pytest
from pydantic import BaseModel
from pydantic_settings import SettingsConfigDict

from juniper_common.settings import EXIT_CONFIGURATION, ListenSettings, cache_folder, is_loopback


class Nested(BaseModel):
    """A group of settings."""

    size: int = 1


class TinySettings(ListenSettings):
    """A service's settings."""

    model_config = SettingsConfigDict(env_prefix="JUNIPER_TINY_")

    port: int = 8000
    group: Nested = Nested()


def _problems(capsys: pytest.CaptureFixture[str]) -> list[str]:
    with pytest.raises(SystemExit) as ended:
        TinySettings.load()
    assert ended.value.code == EXIT_CONFIGURATION
    return capsys.readouterr().err.splitlines()


def test_defaults_are_safe() -> None:
    """Nothing set: loopback, no key, no foreign page, the production profile."""
    settings = TinySettings.load()
    assert settings.bind == ("127.0.0.1", 8000)
    assert (settings.keys, settings.allowed_origins, settings.environment) == ((), (), "production")


def test_environment_is_read_under_the_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each setting under the service's prefix, a group's by two underscores, the profile under the shared name."""
    monkeypatch.setenv("JUNIPER_TINY_HOST", "::1")
    monkeypatch.setenv("JUNIPER_TINY_PORT", "9000")
    monkeypatch.setenv("JUNIPER_TINY_GROUP__SIZE", "3")
    monkeypatch.setenv("JUNIPER_ENV", "demo")
    settings = TinySettings.load()
    assert (settings.bind, settings.group.size, settings.environment) == (("::1", 9000), 3, "demo")


def test_lists_are_split_at_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blanks and empty parts don't count."""
    monkeypatch.setenv("JUNIPER_TINY_ALLOWED_ORIGINS", "http://a, ,http://b,")
    assert TinySettings.load().allowed_origins == ("http://a", "http://b")


def test_lists_can_be_given_as_such() -> None:
    """In a program a list is a list."""
    assert TinySettings(allowed_origins=("http://a",)).allowed_origins == ("http://a",)


def test_keys_come_as_a_credential_and_are_never_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file in the credentials folder is read as the setting of its name."""
    (tmp_path / "juniper_tiny_api_keys").write_text("first,second\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    settings = TinySettings.load()
    assert settings.keys == ("first", "second")
    assert "first" not in repr(settings)


def test_empty_credential_asks_for_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation writes empty files, since a unit with a missing one does not start."""
    (tmp_path / "juniper_tiny_api_keys").touch()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert TinySettings.load().keys == ()


@pytest.mark.parametrize(("written", "read"), [("", None), ("90", 90)])
def test_rate_limit_may_be_left_empty(monkeypatch: pytest.MonkeyPatch, written: str, read: int | None) -> None:
    """The example's line, with its # taken away, changes nothing."""
    monkeypatch.setenv("JUNIPER_TINY_RATE_LIMIT_PER_MINUTE", written)
    assert TinySettings.load().rate_limit_per_minute == read


@pytest.mark.parametrize(
    ("variables", "folder"),
    [
        ({}, "/home/j/.local/state/juniper/tiny"),
        ({"JUNIPER_TINY_STATE_DIR": ""}, "/home/j/.local/state/juniper/tiny"),
        ({"XDG_STATE_HOME": "/xdg"}, "/xdg/juniper/tiny"),
        ({"STATE_DIRECTORY": "/systemd", "XDG_STATE_HOME": "/xdg"}, "/systemd"),
        ({"JUNIPER_TINY_STATE_DIR": "/told", "STATE_DIRECTORY": "/systemd"}, "/told"),
    ],
)
def test_state_folder(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], folder: str) -> None:
    """The setting first, then systemd's folder, then the XDG one."""
    for name, value in ({"HOME": "/home/j"} | variables).items():
        monkeypatch.setenv(name, value)
    assert TinySettings.load().state_dir == Path(folder)


def test_each_wrong_setting_is_one_line_that_names_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The operator reads the names that stand in the env file."""
    monkeypatch.setenv("JUNIPER_TINY_MAX_BODY_BYTES", "-1")
    monkeypatch.setenv("JUNIPER_TINY_GROUP__SIZE", "many")
    monkeypatch.setenv("JUNIPER_ENV", "production ")
    names = [line.split(": ")[:2] for line in _problems(capsys)]
    assert sorted(names) == [
        ["juniper-tiny", "JUNIPER_ENV"],
        ["juniper-tiny", "JUNIPER_TINY_GROUP__SIZE"],
        ["juniper-tiny", "JUNIPER_TINY_MAX_BODY_BYTES"],
    ]


def test_wrong_value_of_a_secret_is_not_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is wrong with another setting does not show the keys."""
    (tmp_path / "juniper_tiny_api_keys").write_text("hidden")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    monkeypatch.setenv("JUNIPER_TINY_PORT", "x")
    assert "hidden" not in "".join(_problems(capsys))


def test_group_that_cannot_be_read_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A group written as one word is no traceback."""
    monkeypatch.setenv("JUNIPER_TINY_GROUP", "large")
    (line,) = _problems(capsys)
    assert "group" in line


def test_credentials_that_are_no_folder_are_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong $CREDENTIALS_DIRECTORY is a wrong setting."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "file"))
    (line,) = _problems(capsys)
    assert "directory" in line


def test_empty_host_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """It would mean every address of this host, which nobody says by leaving a value out."""
    monkeypatch.setenv("JUNIPER_TINY_HOST", "")
    (line,) = _problems(capsys)
    assert "JUNIPER_TINY_HOST" in line


def test_a_folder_may_start_with_the_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An env file is read by no shell, so that `~` must mean the home here."""
    monkeypatch.setenv("HOME", str(tmp_path))
    assert ListenSettings(state_dir=Path("~/state"), port=0).state_dir == tmp_path / "state"


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.8.9.1", "::1", "[::1]", "localhost", "LocalHost.", "a.localhost", "::ffff:127.0.0.1"]
)
def test_what_only_this_host_reaches(host: str) -> None:
    """The loopback's addresses and names."""
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    ["0.0.0.0", "::", "192.0.2.1", "::ffff:192.0.2.1", "lab.example", "localhost.example", "127.1"],  # noqa: S104
)
def test_what_others_reach(host: str) -> None:
    """Every address at once, one of a network, and any name: who answers for it says what it means."""
    assert not is_loopback(host)


def test_production_refuses_what_opens_the_service(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A line for each, which says what to set."""
    monkeypatch.setenv("JUNIPER_TINY_HOST", "::")
    monkeypatch.setenv("JUNIPER_TINY_ALLOWED_ORIGINS", "http://a,*")
    origins, keys = _problems(capsys)
    assert origins.startswith("juniper-tiny: JUNIPER_TINY_ALLOWED_ORIGINS: JUNIPER_ENV=production lets no page of any")
    assert keys.startswith("juniper-tiny: JUNIPER_TINY_HOST: JUNIPER_ENV=production listens on ::")
    assert "juniper-ctl credentials rotate juniper_tiny_api_keys" in keys


def test_production_listens_to_others_where_it_has_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever calls must show one."""
    (tmp_path / "juniper_tiny_api_keys").write_text("key")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    monkeypatch.setenv("JUNIPER_TINY_HOST", "::")
    assert TinySettings.load().bind == ("::", 8000)


@pytest.mark.parametrize("profile", ["dev", "demo"])
def test_the_other_profiles_open_what_they_are_told_to(monkeypatch: pytest.MonkeyPatch, profile: str) -> None:
    """Within a network of one's own."""
    monkeypatch.setenv("JUNIPER_ENV", profile)
    monkeypatch.setenv("JUNIPER_TINY_HOST", "0.0.0.0")  # noqa: S104
    monkeypatch.setenv("JUNIPER_TINY_ALLOWED_ORIGINS", "*")
    assert TinySettings.load().allowed_origins == ("*",)


@pytest.mark.parametrize(
    ("environment", "folder"),
    [
        ({"CACHE_DIRECTORY": "/given", "XDG_CACHE_HOME": "/cache"}, Path("/given")),
        ({"XDG_CACHE_HOME": "/cache"}, Path("/cache/juniper/data")),
        ({}, Path.home() / ".cache/juniper/data"),
    ],
)
def test_cache_lies_where_systemd_or_the_xdg_folders_say(environment: dict[str, str], folder: Path) -> None:
    """Without either it is in the home."""
    assert cache_folder("data", environment) == folder
