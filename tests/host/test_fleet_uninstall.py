"""Juniper taken off a host by Ansible."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.host.fleet import Played, Rollout, as_account

# Ten playbooks: minutes.
pytestmark = [pytest.mark.host, pytest.mark.soak, pytest.mark.timeout(1800)]


@dataclass(frozen=True, slots=True)
class Uninstalled:
    """What came of uninstall.yml on host b, and what was found there after each step."""

    refused: tuple[Played, Played]
    """Without being meant, and the account without its data."""
    checked: Played
    still_there: str
    first: Played
    stayed: str
    second: Played
    whole: Played
    gone: str
    third: Played


FOUND = (
    "ls -d .local/lib/juniper .config/juniper/cascor.env .config/systemd/user/juniper-cascor.service 2>/dev/null; true"
)


@pytest.fixture(scope="module")
def uninstalled(rollout: Rollout) -> Iterator[Uninstalled]:
    """Host b step by step without Juniper; all of it is there again afterwards."""
    fleet, trainer = rollout.fleet, rollout.fleet.hosts["b"]
    off = ("uninstall.yml", "--limit", "b")
    all_of_it = ("-e", "juniper_remove_data=true", "-e", "juniper_remove_account=true", "-e", "juniper_really=yes")
    yield Uninstalled(
        refused=(fleet.play(*off, *all_of_it[:4]), fleet.play(*off, *all_of_it[2:])),
        checked=fleet.play(*off, "--check", *all_of_it),
        still_there=as_account(trainer, FOUND),
        first=fleet.play(*off),
        stayed=as_account(trainer, FOUND),
        second=fleet.play(*off),
        whole=fleet.play(*off, *all_of_it),
        gone=trainer.run_as_root(
            "sh", "-c", "getent passwd juniper; ls -d /home/juniper /var/lib/systemd/linger/juniper 2>&1; true"
        ),
        third=fleet.play(*off, *all_of_it),
    )
    fleet.play("site.yml").require()


def test_data_goes_only_where_that_is_meant(uninstalled: Uninstalled) -> None:
    """What is missing is named, and nothing is changed."""
    not_meant, account_alone = uninstalled.refused
    assert "set juniper_really=yes" in " ".join(not_meant.output.split())
    assert "so set juniper_remove_data too" in " ".join(account_alone.output.split())
    for refused in uninstalled.refused:
        assert refused.code != 0
        assert refused.recap["b"]["changed"] == 0


def test_check_mode_tells_what_would_go(uninstalled: Uninstalled) -> None:
    """And takes nothing."""
    uninstalled.checked.require()
    assert uninstalled.checked.recap["b"]["changed"] > 3
    assert len(uninstalled.still_there.split()) == 3


def test_services_and_code_go_and_settings_stay(uninstalled: Uninstalled) -> None:
    """With one command; a second one finds nothing to do."""
    uninstalled.first.require()
    assert uninstalled.stayed.split() == [".config/juniper/cascor.env"]
    assert uninstalled.second.require().recap["b"]["changed"] == 0


def test_with_the_account_everything_is_gone(uninstalled: Uninstalled) -> None:
    """The bare host that is left is no failure, in check.yml neither."""
    uninstalled.whole.require()
    assert "/home/juniper:" not in uninstalled.gone
    assert uninstalled.gone.count("No such file") == 2
    assert uninstalled.third.require().recap["b"]["changed"] == 0
