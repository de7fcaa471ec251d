import dataclasses
import hashlib
import json
from pathlib import Path

import pytest

from juniper_ctl import pip
from juniper_ctl.bundle import make_bundle, requirements
from juniper_ctl.errors import ControlError, Exit
from juniper_ctl.release_source import Bundle
from tests.unit.juniper_ctl import small_bundle


def test_every_wheel_has_its_checksum(tmp_path: Path) -> None:
    """Names as pip writes them."""
    wheel = tmp_path / "Typing_Extensions-4.16.0-py3-none-any.whl"
    wheel.write_bytes(b"wheel")
    checksum = hashlib.sha256(b"wheel").hexdigest()
    assert requirements([wheel]) == f"typing-extensions==4.16.0 --hash=sha256:{checksum}\n"


def test_a_description_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Root and all."""
    bundle = small_bundle.make(tmp_path / "bundle", python="3.11")
    assert Bundle.open(bundle.root) == bundle


def test_a_description_of_a_later_release_is_read(tmp_path: Path) -> None:
    """But for what is new in it."""
    bundle = small_bundle.make(tmp_path / "bundle", python="3.11")
    path = bundle.root / Bundle.DESCRIPTION
    path.write_text(json.dumps(json.loads(path.read_text()) | {"signed_by": "me"}))
    assert Bundle.open(bundle.root) == bundle


def test_a_half_made_bundle_is_none(tmp_path: Path) -> None:
    """The description is written last."""
    bundle = small_bundle.make(tmp_path / "bundle", python="3.11")
    (bundle.root / Bundle.DESCRIPTION).unlink()
    with pytest.raises(ControlError, match="no whole bundle") as raised:
        Bundle.open(bundle.root)
    assert raised.value.code is Exit.CONFIGURATION


def test_a_bundle_for_another_kind_of_machine_is_refused(tmp_path: Path) -> None:
    """Before anything is changed."""
    bundle = small_bundle.make(tmp_path / "bundle", python="3.11")
    foreign = dataclasses.replace(bundle, platform="linux-s390x")
    (bundle.root / Bundle.DESCRIPTION).write_text(foreign.describe())
    with pytest.raises(ControlError, match="is for linux-s390x"):
        Bundle.open(bundle.root)


def test_a_failed_build_tells_its_last_lines(tmp_path: Path) -> None:
    """Not all of what pip says."""
    lines = "for n in $(seq 100); do echo line $n; done; exit 1"
    with pytest.raises(ControlError) as raised:
        pip.run(["sh", "-c", lines], what="building", next_command="scripts/setup", cwd=tmp_path)
    assert raised.value.message.startswith("building failed:")
    assert raised.value.message.endswith("| line 100")
    assert "line 50" not in raised.value.message


def test_what_is_not_pinned_is_an_error(tmp_path: Path) -> None:
    """Nothing is installed at whatever version there is today."""
    constraints = tmp_path / "constraints.txt"
    constraints.write_text("pip==1\npip-tools==2\n")
    assert pip.pinned(constraints, "pip") == "pip==1"
    with pytest.raises(ControlError, match="does not pin torch"):
        pip.pinned(constraints, "torch")


def test_a_folder_with_something_else_is_left_alone(tmp_path: Path) -> None:
    """`juniper-ctl bundle ~` must not empty a home."""
    (tmp_path / "letter").write_text("dear")
    with pytest.raises(ControlError, match="holds something else") as raised:
        make_bundle(tmp_path, extras=(), python=None)
    assert raised.value.code is Exit.USAGE
    assert (tmp_path / "letter").exists()
