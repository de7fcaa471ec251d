"""What `juniper-X settings` prints."""

import io
import json
import os
import sys
from pathlib import Path

import pytest
from pydantic import AliasChoices, BaseModel, Field, SecretStr
from pydantic_settings import SettingsConfigDict

from juniper_common.known_settings import HIDDEN, known_settings, settings_command, settings_of_each
from juniper_common.settings import EXIT_CONFIGURATION, ListenSettings


class Group(BaseModel):
    """A group of settings."""

    size: int = Field(default=1, description="How large.")


class TinySettings(ListenSettings):
    """A service's settings."""

    model_config = SettingsConfigDict(env_prefix="JUNIPER_TINY_")

    port: int = Field(default=8000, description="Where.")
    group: Group = Group()
    token: SecretStr | None = Field(default=None, description="Shown to others.")
    url: str = Field(default="", validation_alias=AliasChoices("TINY_URL", "ANY_URL"), description="Where it is.")


def test_every_key_is_known_under_each_of_its_names() -> None:
    """Groups by two underscores, other names, older names, what is secret; a default that the host decides is none."""
    known = {each.name: each for each in known_settings(TinySettings, {"OLD_PORT": "JUNIPER_TINY_PORT"})}
    assert (known["JUNIPER_TINY_PORT"].default, known["JUNIPER_TINY_PORT"].older_names) == ("8000", ("OLD_PORT",))
    assert known["JUNIPER_TINY_GROUP__SIZE"].description == "How large."
    assert known["TINY_URL"].aliases == ("ANY_URL",)
    assert known["JUNIPER_TINY_STATE_DIR"].default is None
    assert {name for name, each in known.items() if each.is_secret} == {
        *("JUNIPER_TINY_API_KEYS", "JUNIPER_TINY_TOKEN"),
        *("JUNIPER_TINY_TLS_CERTIFICATE", "JUNIPER_TINY_TLS_KEY", "JUNIPER_CA"),
    }
    assert "JUNIPER_ENV" in known


def test_values_are_told_and_secrets_are_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As an env file has them."""
    (tmp_path / "juniper_tiny_api_keys").write_text("first,second")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    monkeypatch.setenv("JUNIPER_TINY_ALLOWED_HOSTS", "a, b")
    monkeypatch.setenv("JUNIPER_TINY_GROUP__SIZE", "3")
    assert settings_command(TinySettings, as_json=True) == 0
    said = capsys.readouterr().out
    values = {each["name"]: each["value"] for each in json.loads(said)["settings"]}
    assert (values["JUNIPER_TINY_ALLOWED_HOSTS"], values["JUNIPER_TINY_GROUP__SIZE"]) == ("a,b", "3")
    assert (values["JUNIPER_TINY_API_KEYS"], values["JUNIPER_TINY_TOKEN"]) == (HIDDEN, "")
    assert "first" not in said


def test_problems_are_told_for_programs_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the name of the setting, and exit code 78."""
    monkeypatch.setenv("JUNIPER_TINY_GROUP__SIZE", "many")
    monkeypatch.setenv("JUNIPER_TINY_PORT", "70000")
    assert settings_command(TinySettings, as_json=True) == EXIT_CONFIGURATION
    told = json.loads(capsys.readouterr().out)
    assert [problem["name"] for problem in told["problems"]] == ["JUNIPER_TINY_GROUP__SIZE"]
    assert {each["value"] for each in told["settings"]} == {None}


def test_several_environments_are_told_of_at_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each added to the present one, and to no other; 78 where one of them is refused."""
    monkeypatch.setattr(os, "environ", {"JUNIPER_TINY_ALLOWED_HOSTS": "a"})
    environments = [{"JUNIPER_TINY_GROUP__SIZE": "3"}, {"JUNIPER_TINY_GROUP__SIZE": "many"}, {}]
    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(environments)))
    assert settings_of_each(TinySettings) == EXIT_CONFIGURATION
    reports = json.loads(capsys.readouterr().out)["reports"]
    values = [{each["name"]: each["value"] for each in report["settings"]} for report in reports]
    assert [each["JUNIPER_TINY_GROUP__SIZE"] for each in values] == ["3", None, "1"]
    assert values[0]["JUNIPER_TINY_ALLOWED_HOSTS"] == "a"
    assert [len(report["problems"]) for report in reports] == [0, 1, 0]


def test_a_person_reads_each_key_with_what_it_is_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And the problems as the service's start prints them."""
    monkeypatch.setenv("JUNIPER_TINY_HOST", "0.0.0.0")  # noqa: S104
    assert settings_command(TinySettings, as_json=False, older_names={"OLD_PORT": "JUNIPER_TINY_PORT"}) == 78
    said = capsys.readouterr()
    assert "JUNIPER_TINY_PORT=8000\n    Where. Default: 8000. Older: OLD_PORT.\n" in said.out
    assert "TINY_URL=\n    Where it is. Default: nothing. Also ANY_URL.\n" in said.out
    assert "A secret: a credential, no line of an env file." in said.out
    (line,) = said.err.splitlines()
    assert line.startswith("juniper-tiny: JUNIPER_TINY_HOST: ")
