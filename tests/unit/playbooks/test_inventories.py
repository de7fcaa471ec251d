"""The inventories that people copy."""

from typing import Any

from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.vars.manager import VariableManager

from tests.unit.playbooks.plugins import KEYS, ROOT
from tests.unit.playbooks.test_faults import faults


def read(name: str) -> tuple[dict[str, dict[str, Any]], dict[str, list[str]]]:
    """The variables of its hosts, and its groups."""
    loader = DataLoader()
    inventory = InventoryManager(loader=loader, sources=[str(ROOT / "ansible/inventories" / name)])
    variables = VariableManager(loader=loader, inventory=inventory)
    hosts = {host.name: dict(variables.get_vars(host=host)) for host in inventory.get_hosts()}
    return hosts, inventory.get_groups_dict()


def test_the_one_for_one_host_is_sound() -> None:
    """It needs nothing but the host's address."""
    assert faults(*read("one-host")) == []


def test_the_one_for_several_lacks_keys_alone() -> None:
    """They are nobody's to copy."""
    hosts, groups = read("several")
    assert {fault.rpartition(": ")[2] for fault in faults(hosts, groups)} == {
        f"set {name} in juniper_credentials" for name in KEYS
    }
    assert faults({host: {**said, "juniper_credentials": KEYS} for host, said in hosts.items()}, groups) == []
