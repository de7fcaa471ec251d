"""Ansible's modules and filters of `ansible/`, which is no package: each is loaded from its file, as Ansible does."""

import importlib.util
from pathlib import Path
from typing import Any

from ansible.parsing.dataloader import DataLoader

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
    return DataLoader().load_from_file(str(ROLE / path))


KNOWN = of_role("vars/main.yml")["juniper_known"]
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
