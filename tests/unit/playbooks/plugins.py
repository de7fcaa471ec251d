"""Ansible's modules and filters of `ansible/`, which is no package: each is loaded from its file, as Ansible does."""

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader
from ansible.template import Templar

ROOT = Path(__file__).resolve().parents[3]
ROLE = ROOT / "ansible/roles/juniper"


def plugin(path: str) -> Any:
    """A file below `ansible/`, as a module."""
    file = ROOT / "ansible" / path
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def of_role(path: str) -> Any:
    """What a YAML file of the role `juniper` says."""
    return DataLoader().load_from_file(str(ROLE / path), trusted_as_template=True)


def known() -> Any:
    """The role's `juniper_known`: it reads the units for it."""
    init_plugin_loader()
    told = {**of_role("vars/main.yml"), "playbook_dir": str(ROOT / "ansible")}
    return Templar(DataLoader(), variables=told).template(told["juniper_known"])


KNOWN = known()
DEFAULTS = of_role("defaults/main.yml")
OPTIONS = of_role("meta/argument_specs.yml")["argument_specs"]["main"]["options"]
EXAMPLE = (ROOT / "conf/juniper.env.example").read_text(encoding="utf-8")

KEYS = {f"juniper_{name}_api_keys": f"of-{name},older" for name in KNOWN}
GROUPS = {"data": ["front"], "cascor": ["trainer"], "canopy": ["front"], "all": ["front", "trainer"]}


def two_hosts(**of_front: Any) -> dict[str, dict[str, Any]]:
    """The variables of two hosts with keys, and more of the first one."""
    return {
        "front": {"ansible_host": "10.0.0.1", "juniper_credentials": KEYS, **of_front},
        "trainer": {"ansible_host": "10.0.0.2", "juniper_credentials": KEYS},
    }


def plain(hosts: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """The certificates of hosts that have none."""
    return {host: {"certificate": "", "key": "", "ca": ""} for host in hosts}
