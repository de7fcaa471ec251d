"""What a backup says of itself: when it was taken, of what, and the checksum of each of its files."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath

FILE_NAME = "manifest.json"
FORMAT = 1

_CHECKSUM = re.compile(r"[0-9a-f]{64}")


class ManifestError(ValueError):
    """It is none, or one that a newer version has written."""


@dataclass(frozen=True, slots=True)
class FileRecord:
    """One file as it was copied; `mtime_ns` is that of the service's own file."""

    sha256: str
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class ServiceRecord:
    """What was taken of one service."""

    as_of: float
    """Unix seconds. All that the service had written into its database by then is in the backup."""
    schema: int | None
    """Of its database; None: it keeps none."""
    problems: tuple[str, ...]
    """What could not be taken, or is not what the service's own records say."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """All of it."""

    name: str
    release: str
    services: Mapping[str, ServiceRecord]
    files: Mapping[str, FileRecord] = field(default_factory=dict)
    """By their paths in the backup: `data/index.sqlite`, `settings/juniper.env` and so on."""
    profile: str = ""
    """The one that was chosen. Earlier versions did not write it down."""

    @property
    def problems(self) -> list[str]:
        """Of all services."""
        return [f"{name}: {problem}" for name, record in self.services.items() for problem in record.problems]

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(record.size for record in self.files.values())

    def of(self, top: str) -> dict[str, FileRecord]:
        """The files below one of the folders, by their paths in it."""
        prefix = f"{top}/"
        return {path.removeprefix(prefix): record for path, record in self.files.items() if path.startswith(prefix)}

    def as_text(self) -> str:
        """To be read with `read_manifest`."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=1) + "\n"


def read_manifest(folder: Path) -> Manifest:
    """The manifest in a backup's folder.

    Raises:
        ManifestError: it is not there, damaged, not this backup's, or names files outside of the folder.
    """
    path = folder / FILE_NAME
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        if told["format"] != FORMAT:
            raise ManifestError(f"{path} has format {told['format']}; this version knows {FORMAT}")
        manifest = Manifest(
            name=str(told["name"]),
            release=str(told["release"]),
            services={name: _service(values) for name, values in told["services"].items()},
            files={_checked_path(name): _file(values) for name, values in told["files"].items()},
            profile=str(told.get("profile", "")),
        )
    except (OSError, UnicodeDecodeError, KeyError, TypeError, AttributeError, json.JSONDecodeError) as error:
        raise ManifestError(f"{path} is no manifest: {error or type(error).__name__}") from error
    if manifest.name != folder.name:
        raise ManifestError(f"{path} is the manifest of {manifest.name}")
    return manifest


def is_inside(relative: str) -> bool:
    """Whether a path leads nowhere but below the folder that it is meant in."""
    parts = PurePosixPath(relative).parts
    is_plain = relative == "/".join(parts) and "\0" not in relative
    return is_plain and bool(parts) and ".." not in parts and not relative.startswith("/")


def _checked_path(name: str) -> str:
    if not is_inside(name):
        raise ManifestError(f"the manifest names {name!r}, which is no file of a backup")
    return name


def _service(values: Mapping[str, object]) -> ServiceRecord:
    as_of, schema, problems = values["as_of"], values["schema"], values["problems"]
    if not (isinstance(as_of, float | int) and isinstance(schema, int | None) and isinstance(problems, list)):
        raise TypeError("a service's record is none")
    return ServiceRecord(float(as_of), schema, tuple(map(str, problems)))


def _file(values: Mapping[str, object]) -> FileRecord:
    sha256, size, mtime_ns = values["sha256"], values["size"], values["mtime_ns"]
    is_record = isinstance(sha256, str) and isinstance(size, int) and isinstance(mtime_ns, int)
    if not (is_record and _CHECKSUM.fullmatch(str(sha256))):
        raise TypeError("a file's record is none")
    return FileRecord(str(sha256), int(str(size)), int(str(mtime_ns)))
