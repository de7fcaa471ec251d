"""Where things lie on a host. Code and configuration stand where the systemd units look for them: below the home."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Locations:
    """The folders of one user."""

    home: Path
    state: Path
    cache: Path

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Locations":
        """Read `HOME` and the XDG variables for what is not fixed by the units."""
        home = Path(environment["HOME"]) if environment.get("HOME") else Path.home()
        return cls(
            home=home,
            state=Path(environment.get("XDG_STATE_HOME") or home / ".local/state") / "juniper",
            cache=Path(environment.get("XDG_CACHE_HOME") or home / ".cache") / "juniper",
        )

    @property
    def configuration(self) -> Path:
        """Env files: `juniper.env` for all services, `data.env` and so on for one."""
        return self.home / ".config/juniper"

    @property
    def credentials(self) -> Path:
        """One file per secret, readable by the user alone."""
        return self.configuration / "credentials"

    @property
    def units(self) -> Path:
        """The user's systemd unit files."""
        return self.home / ".config/systemd/user"

    @property
    def code_folder(self) -> Path:
        """All installed code; the services see this folder of the home, read-only, and no other."""
        return self.home / ".local/lib/juniper"

    @property
    def releases(self) -> Path:
        """One folder per installed version."""
        return self.code_folder / "releases"

    @property
    def current(self) -> Path:
        """The link to the release that the units start."""
        return self.code_folder / "current"

    @property
    def command(self) -> Path:
        """The link that puts `juniper-ctl` on the user's PATH."""
        return self.home / ".local/bin/juniper-ctl"

    @property
    def logs(self) -> Path:
        """What services that run in the foreground print; under systemd the journal has it."""
        return self.state / "log"
