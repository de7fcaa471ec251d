"""Ansible's module `juniper_bundle`: a bundle that `juniper-ctl bundle` makes, or has made, as one file for hosts."""

from __future__ import annotations

import hashlib
import json
import os
import tarfile
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: juniper_bundle
short_description: A bundle of Juniper as one file, on the controller
description:
  - Makes the bundle with C(juniper-ctl bundle), or takes one that is there, and packs it for copying.
options:
  checkout:
    description: The checkout that the bundle is made of.
    type: path
    required: true
  folder:
    description: The bundle.
    type: path
    required: true
  is_given:
    description: The bundle is taken as it is, and not made.
    type: bool
    default: false
  extras:
    description: The optional dependencies that it is made with.
    type: list
    elements: str
    default: []
  packed:
    description: The file without its end, which tells one bundle from another. Older ones of this name are removed.
    type: path
    required: true
author: The Juniper project
"""

EXAMPLES = r"""
- name: Make the bundle
  juniper_bundle:
    checkout: "{{ playbook_dir | dirname }}"
    folder: "{{ playbook_dir | dirname }}/dist/ansible-cpu"
    packed: "{{ playbook_dir | dirname }}/dist/ansible-cpu"
  delegate_to: localhost
  run_once: true
"""

RETURN = r"""
bundle:
  description: What it is; empty in check mode where it is not made yet.
  returned: always
  type: dict
  contains:
    key: {description: A checksum over all of its files., type: str, returned: always}
    packed: {description: The file., type: path, returned: always}
    python: {description: The Python that it is for., type: str, returned: always}
    platform: {description: The kind of machine that it is for., type: str, returned: always}
    extras: {description: The optional dependencies in it., type: list, elements: str, returned: always}
"""

_DESCRIPTION = "bundle.json"


def key_of(folder: Path) -> str:
    """Tells two bundles apart: the one file names their sources, the other has a checksum of each wheel."""
    told = (folder / _DESCRIPTION).read_bytes() + (folder / "requirements.txt").read_bytes()
    return hashlib.sha256(told).hexdigest()[:16]


def pack(folder: Path, packed: Path) -> None:
    """Make the tar, with nothing of who made it, and the description last: it says that all is there."""
    beside = packed.with_name(f".{packed.name}.{os.getpid()}")
    with tarfile.open(beside, "w") as tar:
        # Folders too: only a member is given to the account, which cannot remove what lies in a folder of another one.
        paths = [path for path in sorted(folder.rglob("*")) if "__pycache__" not in path.parts]
        for path in sorted(paths, key=lambda path: path.name == _DESCRIPTION):
            tar.add(path, str(path.relative_to(folder)), recursive=False, filter=_of_nobody)
    beside.replace(packed)


def _of_nobody(info: tarfile.TarInfo) -> tarfile.TarInfo:
    info.uid = info.gid = 0
    info.uname = info.gname = "root"
    info.mode = 0o755 if info.mode & 0o100 else 0o644
    return info


def prune(packed: Path, name: str) -> None:
    """Remove those of the same name that are of another bundle."""
    for path in packed.parent.glob(f"{name}-{'[0-9a-f]' * 16}.tar"):
        if path != packed:
            path.unlink()


def main() -> None:
    """Run as Ansible's module."""
    module = AnsibleModule(
        argument_spec={
            "checkout": {"type": "path", "required": True},
            "folder": {"type": "path", "required": True},
            "is_given": {"type": "bool", "default": False},
            "extras": {"type": "list", "elements": "str", "default": []},
            "packed": {"type": "path", "required": True},
        },
        supports_check_mode=True,
    )
    folder, packed = Path(module.params["folder"]), Path(module.params["packed"])
    says = ""
    if not module.params["is_given"]:
        if module.check_mode and not (folder / _DESCRIPTION).is_file():
            module.exit_json(changed=True, bundle={})
        if not module.check_mode:
            says = _made(module, folder)
    try:
        description = json.loads((folder / _DESCRIPTION).read_text(encoding="utf-8"))
        key = key_of(folder)
    except (OSError, ValueError) as error:
        module.fail_json(msg=f"{folder} is no whole bundle: {error}. Make one: juniper-ctl bundle {folder}")
    target = packed.with_name(f"{packed.name}-{key}.tar")
    is_packed = target.is_file()
    if not is_packed and not module.check_mode:
        target.parent.mkdir(parents=True, exist_ok=True)
        pack(folder, target)
        prune(target, packed.name)
    told = {name: description[name] for name in ("python", "platform", "extras", "version")}
    module.exit_json(changed=not is_packed, said=says, bundle={"key": key, "packed": str(target), **told})


def _made(module: AnsibleModule, folder: Path) -> str:
    """Have juniper-ctl make it; it makes none that is of these sources already."""
    program = Path(module.params["checkout"]) / "scripts/juniper-ctl"
    extras = [f"--extra={extra}" for extra in module.params["extras"]]
    code, said, complained = module.run_command([str(program), "bundle", str(folder), *extras])
    if code != 0:
        module.fail_json(msg=complained.strip() or said.strip(), rc=code)
    return str(said)


if __name__ == "__main__":
    main()
