"""Where things lie on a host. Code and configuration stand where the systemd units look for them."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from juniper_ctl import scope, systemctl

_STATE_HOME_SINCE = 254


class Locations(NamedTuple):
    """The folders of one user's installation, or of the host's."""

    configuration: Path
    """Env files: `juniper.env` for all services, `data.env` and so on for one."""
    units: Path
    """systemd's unit files."""
    code_folder: Path
    """All installed code. A user's services see this folder of the home, read-only, and no other."""
    command: Path
    """The link that puts `juniper-ctl` on the PATH."""
    state: Path
    cache: Path

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Locations":
        """Those that the commands are about. Of a user: `HOME`, and the XDG variables for what the units do not fix."""
        if scope.chosen() == "system":
            return cls(
                # A unit of the host may not read /etc/juniper: systemd hands it copies of what it needs of it.
                configuration=Path(environment.get("CREDENTIALS_DIRECTORY") or "/etc/juniper"),
                units=Path("/etc/systemd/system"),
                code_folder=Path("/usr/local/lib/juniper"),
                command=Path("/usr/local/bin/juniper-ctl"),
                state=Path("/var/lib/juniper"),
                cache=Path("/var/cache/juniper"),
            )
        home = Path(environment["HOME"]) if environment.get("HOME") else Path.home()
        return cls(
            configuration=home / ".config/juniper",
            units=home / ".config/systemd/user",
            code_folder=home / ".local/lib/juniper",
            command=home / ".local/bin/juniper-ctl",
            state=Path(environment.get("XDG_STATE_HOME") or home / ".local/state") / "juniper",
            cache=Path(environment.get("XDG_CACHE_HOME") or home / ".cache") / "juniper",
        )

    @property
    def credentials(self) -> Path:
        """One file per secret, readable by its owner alone."""
        return self.configuration / "credentials"

    @property
    def releases(self) -> Path:
        """One folder per installed version."""
        return self.code_folder / "releases"

    @property
    def current(self) -> Path:
        """The link to the release that the units start."""
        return self.code_folder / "current"

    @property
    def logs(self) -> Path:
        """What services that run in the foreground print; under systemd the journal has it."""
        return self.state / "log"

    def state_of(self, name: str) -> Path:
        """What `StateDirectory=juniper/NAME` of a unit is. User managers before systemd 254 have it below ~/.config."""
        older, newer = self.configuration / name, self.state / name
        if not older.is_dir():
            return newer
        # Both, where a demo in the foreground has made the newer one; later versions make it a link to the older one.
        return newer if newer.exists() and systemctl.version() >= _STATE_HOME_SINCE else older

    def own_state_of(self, name: str, environment: Mapping[str, str]) -> Path:
        """The same for who may be that unit's process itself: systemd has told it then."""
        told = environment.get("STATE_DIRECTORY")
        return Path(told) if told else self.state_of(name)
