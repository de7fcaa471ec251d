"""A stand-in for `systemctl --user`: units whose states a test sets, and a record of what was asked of them."""

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

State = dict[str, str]

READY: State = {"LoadState": "loaded", "ActiveState": "active", "SubState": "running"}
STOPPED: State = {"LoadState": "loaded", "ActiveState": "inactive", "SubState": "dead"}
MISSING: State = {"LoadState": "not-found", "ActiveState": "inactive", "SubState": "dead"}

_PROGRAM = """#!{python} -IS
import json, pathlib, sys

folder = pathlib.Path({folder!r})
options = [word for word in sys.argv[1:] if word.startswith("--")]
if "--version" in options:
    sys.exit(print("systemd 252 (252.39-1~deb12u2)"))
verb, *units = [word for word in sys.argv[1:] if not word.startswith("--")]
state = json.loads((folder / "state.json").read_text())
with (folder / "calls").open("a") as calls:
    calls.write(" ".join([verb, *units]) + "\\n")
if state["down"]:
    sys.exit("Failed to connect to bus: No medium found")
if verb == "show" and "--value" in options:
    name = next(option for option in options if option.startswith("--property=")).partition("=")[2]
    print(state["manager"].get(name, ""))
elif verb == "show":
    wanted = next(option for option in options if option.startswith("--property=")).partition("=")[2].split(",")
    blocks = []
    for unit in units:
        known = {{"Id": unit, **state["units"].get(unit, state["unknown"])}}
        blocks.append("\\n".join(f"{{name}}={{known.get(name, '')}}" for name in wanted))
    print("\\n\\n".join(blocks))
elif verb in state["refusals"]:
    sys.exit(state["refusals"][verb])
else:
    state["units"].update(state["after"].get(verb, {{}}))
    (folder / "state.json").write_text(json.dumps(state))
"""


@dataclass(frozen=True)
class FakeSystemd:
    """Set states, run the code under test, read the calls."""

    folder: Path

    @classmethod
    def install(cls, folder: Path) -> "FakeSystemd":
        """Put the program into `folder`/bin, which the test puts on PATH. No unit is known at first."""
        fake = cls(folder)
        (folder / "bin").mkdir(parents=True)
        program = folder / "bin/systemctl"
        program.write_text(_PROGRAM.format(python=os.path.realpath(sys.executable), folder=str(folder)))
        program.chmod(0o755)
        (folder / "calls").touch()
        fake._write(
            {
                "down": False,
                "manager": {"Version": "252.39-1~deb12u2"},
                "unknown": MISSING,
                "units": {},
                "after": {},
                "refusals": {},
            }
        )
        return fake

    def set(self, unit: str, state: State) -> None:
        """From now on the unit is in this state."""
        whole = self._read()
        whole["units"][unit] = state
        self._write(whole)

    def set_manager(self, properties: dict[str, str]) -> None:
        """From now on the manager says this of itself."""
        self._write(self._read() | {"manager": properties})

    def after(self, verb: str, unit: str, state: State) -> None:
        """The next call of `verb` brings the unit into this state."""
        whole = self._read()
        whole["after"].setdefault(verb, {})[unit] = state
        self._write(whole)

    def refuse(self, verb: str, reason: str) -> None:
        """From now on `verb` fails with this on standard error."""
        whole = self._read()
        whole["refusals"][verb] = reason
        self._write(whole)

    def go_down(self) -> None:
        """No manager answers any more."""
        whole = self._read()
        whole["down"] = True
        self._write(whole)

    def become(self, version: str) -> None:
        """The manager is of this version from now on; the program stays what it is."""
        self.set_manager({"Version": version})

    def come_up(self) -> None:
        """It answers again."""
        whole = self._read()
        whole["down"] = False
        self._write(whole)

    def calls(self) -> list[str]:
        """What was asked for, without the questions."""
        return [call for call in (self.folder / "calls").read_text().splitlines() if not call.startswith("show")]

    def _read(self) -> dict[str, Any]:
        whole: dict[str, Any] = json.loads((self.folder / "state.json").read_text())
        return whole

    def _write(self, whole: object) -> None:
        # In one step: the program may be reading it.
        (self.folder / "new.json").write_text(json.dumps(whole))
        (self.folder / "new.json").replace(self.folder / "state.json")
