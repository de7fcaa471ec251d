import sys
from pathlib import Path

import pytest

from juniper_ctl import interpreter
from juniper_ctl.errors import ControlError, Exit

HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"


def test_a_python_that_the_services_see_is_found() -> None:
    """By its real path: `python3` may mean another one tomorrow."""
    found = interpreter.for_release(given=Path(sys.executable), hidden=())
    assert (found.tag, found.path) == (HERE, Path(sys.executable).resolve())


def test_a_python_below_a_home_is_not_taken() -> None:
    """The services' sandbox hides homes; the message says that this is the reason."""
    hidden = [Path(sys.executable).resolve().parents[1]]
    with pytest.raises(ControlError, match="that their sandbox hides") as raised:
        interpreter.for_release(given=Path(sys.executable), hidden=hidden)
    assert raised.value.code is Exit.CONFIGURATION


def test_wheels_for_another_version_need_that_version() -> None:
    """The message tells which there are."""
    with pytest.raises(ControlError, match=f"no Python 3.99 .* is {HERE}"):
        interpreter.for_release(given=Path(sys.executable), wanted="3.99", hidden=())


def test_what_is_no_python_is_no_candidate(tmp_path: Path) -> None:
    """Neither a missing file nor a program that fails."""
    broken = tmp_path / "python3"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    assert interpreter.ask(broken) is None
    with pytest.raises(ControlError, match="there is none"):
        interpreter.for_release(given=tmp_path / "missing")
