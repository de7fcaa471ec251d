"""Ansible's module `juniper_credentials`: the files that systemd hands to a service as credentials."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: juniper_credentials
short_description: Writes credentials, each into a file of its own
description:
  - All at once, where one task for each would take half a minute for a host with three services.
  - What a credential is, is neither returned nor logged.
options:
  folder:
    description: Where they lie. It is there already.
    type: path
    required: true
  credentials:
    description: The text of each by its name; an empty one is an empty file.
    type: dict
    required: true
  owner:
    description: Whose they are, who alone may read them.
    type: str
    required: true
  group:
    description: The group of the owner.
    type: str
    required: true
author: The Juniper project
"""

EXAMPLES = r"""
- name: Write the key that the data service asks for
  juniper_credentials:
    folder: /home/juniper/.config/juniper/credentials
    credentials:
      juniper_data_api_keys: "{{ key_of_a_vault }}"
    owner: juniper
    group: juniper
"""

RETURN = r"""
written:
  description: The names of those that were another text before, or not there.
  returned: always
  type: list
  elements: str
"""


def outdated(folder: Path, credentials: Mapping[str, str]) -> list[str]:
    """Those whose file is not there or has another text."""
    return [
        name
        for name, text in credentials.items()
        if not (folder / name).is_file() or (folder / name).read_bytes() != text.encode()
    ]


def write(path: Path, text: str) -> None:
    """A whole file, for its owner alone, or the one that was there."""
    descriptor, beside = tempfile.mkstemp(prefix=".", dir=path.parent)
    with os.fdopen(descriptor, "wb") as file:
        file.write(text.encode())
        file.flush()
        os.fsync(file.fileno())
    Path(beside).replace(path)


def main() -> None:
    """Run as Ansible's module."""
    module = AnsibleModule(
        argument_spec={
            "folder": {"type": "path", "required": True},
            "credentials": {"type": "dict", "required": True, "no_log": True},
            "owner": {"type": "str", "required": True},
            "group": {"type": "str", "required": True},
        },
        supports_check_mode=True,
    )
    folder = Path(module.params["folder"])
    credentials = {name: str(text) for name, text in module.params["credentials"].items()}
    written = outdated(folder, credentials)
    if not module.check_mode:
        for name in written:
            write(folder / name, credentials[name])
    changed = bool(written)
    for name in credentials:
        if (folder / name).exists():
            asked = {"path": str(folder / name), "mode": "0600", **{w: module.params[w] for w in ("owner", "group")}}
            changed = module.set_fs_attributes_if_different(module.load_file_common_arguments(asked), changed)
    module.exit_json(changed=changed, written=written)


if __name__ == "__main__":
    main()
