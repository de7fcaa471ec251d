"""What the three programs have in common: they serve, and they tell their settings."""

import json
import subprocess
import sys

import pytest

SERVICES = ("data", "cascor", "canopy")


def program(service: str, *arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    """Call it as a person does."""
    command = [sys.executable, "-m", f"juniper_{service}", *arguments]
    return subprocess.run(command, env={"HOME": "/nowhere"} | settings, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("service", SERVICES)
def test_each_tells_its_settings(service: str) -> None:
    """For programs, with what is wrong, and exit code 78; it neither serves nor writes."""
    ended = program(service, "settings", "--json", JUNIPER_ENV="home")
    told = json.loads(ended.stdout)
    assert (ended.returncode, told["service"]) == (78, service)
    assert [problem["name"] for problem in told["problems"]] == ["JUNIPER_ENV"]
    assert "JUNIPER_ENV" in {each["name"] for each in told["settings"]}


@pytest.mark.parametrize("service", SERVICES)
def test_an_argument_without_a_meaning_is_one_line_and_64(service: str) -> None:
    """Nothing is served."""
    ended = program(service, "dance")
    assert (ended.returncode, len(ended.stderr.splitlines())) == (64, 1)
    assert ended.stderr.endswith(f"next: juniper-{service} --help\n")


def test_older_names_count_for_the_dashboards_settings() -> None:
    """As they do when it serves."""
    ended = program("canopy", "settings", "--json", CASCOR_SERVER_PORT="9000")
    port = next(each for each in json.loads(ended.stdout)["settings"] if each["name"] == "JUNIPER_CANOPY_SERVER__PORT")
    assert (port["value"], port["older_names"]) == ("9000", ["CASCOR_SERVER_PORT"])
