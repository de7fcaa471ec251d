from pathlib import Path

import pytest

from juniper_ctl.checkout import Checkout
from juniper_ctl.errors import ControlError, Exit


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """The smallest thing that counts as one."""
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    (tmp_path / "juniper_common").mkdir()
    (tmp_path / "juniper_common/__init__.py").write_text('"""Doc."""\n\n__version__ = "1.2.3"\n')
    return Checkout(tmp_path)


def test_the_tests_run_from_a_checkout() -> None:
    """The one that they lie in."""
    assert Checkout.require().root == Path(__file__).parents[3]


def test_the_version_is_read_without_importing_anything(checkout: Checkout) -> None:
    """What it imports is not installed yet on a bare machine."""
    assert checkout.version() == "1.2.3"
    (checkout.root / "juniper_common/__init__.py").write_text("")
    with pytest.raises(ControlError, match="__version__"):
        checkout.version()


def test_every_edit_changes_the_digest(checkout: Checkout) -> None:
    """A file more, another content, another name: each is another release."""
    seen = {checkout.digest()}
    (checkout.root / "juniper_common/new.py").write_text("1")
    seen.add(checkout.digest())
    (checkout.root / "juniper_common/new.py").write_text("2")
    seen.add(checkout.digest())
    (checkout.root / "juniper_common/new.py").rename(checkout.root / "juniper_common/newer.py")
    seen.add(checkout.digest())
    assert len(seen) == 4


def test_what_is_not_installed_does_not_change_the_digest(checkout: Checkout) -> None:
    """Tests, compiled files, an environment: running the tests makes no other release."""
    before = checkout.digest()
    for path in ("tests/test_x.py", "juniper_common/__pycache__/x.pyc", ".venv/x.py"):
        (checkout.root / path).parent.mkdir(parents=True, exist_ok=True)
        (checkout.root / path).write_text("x")
    assert checkout.digest() == before


def test_a_failing_setup_is_told(checkout: Checkout, capfd: pytest.CaptureFixture[str]) -> None:
    """It has said itself what is wrong, where no program reads a document."""
    (checkout.root / "scripts").mkdir()
    script = checkout.root / "scripts/setup"
    script.write_text("#!/bin/sh\nexit 7\n")
    script.chmod(0o755)
    with pytest.raises(ControlError) as raised:
        checkout.set_up()
    assert raised.value.next_command == "scripts/setup"
    script.write_text("#!/bin/sh\necho done\n")
    checkout.set_up()
    assert capfd.readouterr() == ("", "done\n")


def test_a_bundle_cannot_be_set_up(checkout: Checkout) -> None:
    """It has wheels, and no scripts/setup: it is for installing."""
    with pytest.raises(ControlError) as raised:
        checkout.set_up()
    assert (raised.value.code, raised.value.next_command) == (Exit.USAGE, "juniper-ctl install")
