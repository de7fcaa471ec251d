"""What the dataset service can be told: `JUNIPER_DATA_…` in the environment."""

import os
from pathlib import Path
from typing import Annotated, Literal, Self, get_args
from urllib.parse import parse_qs, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, TypeAdapter, ValidationError, model_validator
from pydantic_settings import SettingsConfigDict

from juniper_common.settings import (
    Folder,
    ListenSettings,
    OptionalCount,
    cache_folder,
    is_loopback,
    none_where_empty,
)
from juniper_data.stores.protocol import Quota

BackEnd = Literal["file_system", "memory", "redis", "postgresql", "huggingface", "kaggle"]
"""What keeps datasets by itself."""

HUBS: dict[BackEnd, str] = {"huggingface": "huggingface_repo", "kaggle": "kaggle_dataset"}
"""Those on a hub, each with the setting that says which repository."""

_BACK_ENDS: TypeAdapter[list[BackEnd]] = TypeAdapter(list[BackEnd])


def _back_ends(store: str) -> list[BackEnd]:
    kind, *parts = store.split(":")
    words = parts if kind == "cached" and len(parts) == 2 else [store]
    try:
        return _BACK_ENDS.validate_python(words)
    except ValidationError:
        known = ", ".join(get_args(BackEnd))
        raise ValueError(f"there is no store {store!r}; it is one of {known}, or cached:FAST:SLOW of these") from None


def _known(store: str) -> str:
    fast, *slow = _back_ends(store)
    if slow and (fast in HUBS or fast == "postgresql"):
        raise ValueError(f"{fast} is no cache: it is the slow one of cached:FAST:SLOW")
    return store


def _redis_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.password is not None:
        # Without the value itself: it goes to the log.
        raise ValueError("has a password, which belongs into the credential juniper_data_redis_password")
    if parts.scheme not in ("redis", "rediss") or not parts.hostname:
        raise ValueError("is no address like redis://HOST:PORT/DATABASE, or rediss:// for TLS")
    if not (parts.path.strip("/") or "0").isdecimal() or not set(parse_qs(parts.query)) <= {"ssl_ca_certs"}:
        raise ValueError("has more behind HOST:PORT than the number of a database and ?ssl_ca_certs=FILE")
    return url


def _secured(endpoint: str) -> str:
    address = urlsplit(endpoint)
    if address.scheme != "https" and not (address.scheme == "http" and is_loopback(address.hostname or "")):
        raise ValueError("it must begin with https://, since a key is shown there")
    return endpoint


def _postgresql_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.password is not None or "password" in parse_qs(parts.query):
        # Without the value itself: it goes to the log.
        raise ValueError("has a password, which belongs into the credential juniper_data_postgresql_password")
    if "sslpassword" in parse_qs(parts.query):
        raise ValueError(
            "has the password of a key, sslpassword: take a key without one, which the service alone reads"
        )
    if parts.scheme not in ("postgresql", "postgres") or not parts.username or len(parts.path) < 2:
        raise ValueError("is no address like postgresql://USER@HOST:PORT/DATABASE?sslmode=verify-full")
    return url


Endpoint = Annotated[str, AfterValidator(_secured)]
Repository = Annotated[str, Field(pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*)?$")]


class Settings(ListenSettings):
    """The dataset service's settings."""

    model_config = SettingsConfigDict(env_prefix="JUNIPER_DATA_")

    port: int = Field(default=8100, ge=0, le=65535, description="0 takes a free port.")
    store: Annotated[str, AfterValidator(_known)] = Field(
        default="file_system",
        description="Where datasets are kept: file_system (in state_dir), memory, redis, postgresql, huggingface,"
        " kaggle, or cached:FAST:SLOW of two of these.",
    )
    postgresql_url: Annotated[str, AfterValidator(_postgresql_url)] = Field(
        default="postgresql://juniper@127.0.0.1/juniper", description="Where the store postgresql is; TLS by sslmode."
    )
    postgresql_password: SecretStr | None = Field(default=None, description="What that server asks for.")
    postgresql_artifacts: Literal["disk", "database"] = Field(
        default="disk", description="Where the store postgresql keeps the bytes: in state_dir, or in the database."
    )
    redis_url: Annotated[str, AfterValidator(_redis_url)] = Field(
        default="redis://127.0.0.1:6379/0", description="Where the store redis is, in which database of it."
    )
    redis_password: SecretStr | None = Field(default=None, description="What that server asks for.")
    max_datasets: OptionalCount = Field(default=None, ge=1, description="More are refused (507). None: no limit.")
    max_bytes: OptionalCount = Field(default=None, ge=1, description="The same of all artifacts together.")
    cache_bytes: int = Field(default=64_000_000, ge=0, description="How much the fast part of a cached store holds.")
    huggingface_repo: Repository = Field(default="", description="OWNER/NAME of the store huggingface's repository.")
    huggingface_endpoint: Endpoint = Field(default="https://huggingface.co", description="Where that hub is.")
    huggingface_token: SecretStr | None = Field(default=None, description="The token that it is shown.")
    kaggle_dataset: Repository = Field(default="", description="OWNER/NAME of the store kaggle's dataset.")
    kaggle_endpoint: Endpoint = Field(default="https://api.kaggle.com", description="Where Kaggle's API is.")
    kaggle_key: SecretStr | None = Field(default=None, description="The NAME:KEY or the token that it is shown.")
    import_dir: Annotated[Folder | None, BeforeValidator(none_where_empty)] = Field(
        default=None, description="The only folder that files are read from. None: `import` in state_dir."
    )
    cache_dir: Folder = Field(
        default_factory=lambda: cache_folder("data", os.environ),
        description="Where files of the hub are kept; what is lost is fetched again.",
    )
    max_upload_bytes: int = Field(default=2_000_000_000, ge=1_000, description="A larger upload is refused (413).")
    wait_s: float = Field(
        default=5.0,
        ge=0,
        le=60,
        description="What takes longer to make is answered with a job to poll (202).",
    )
    import_timeout_s: float = Field(default=600.0, gt=0, description="A file that takes longer to read is refused.")

    @model_validator(mode="after")
    def _names_its_repository(self) -> Self:
        self._require_repositories()
        return self

    def _require_repositories(self) -> None:
        for back_end in self.back_ends:
            if back_end in HUBS and not getattr(self, HUBS[back_end]):
                raise ValueError(f"JUNIPER_DATA_STORE={self.store} needs {self.spelled((HUBS[back_end],))}=OWNER/NAME")

    def holding(self, store: str) -> Self:
        """The same with what holds the datasets of another store, without its cache. Raises ValueError: none is so."""
        settings = self.model_copy(update={"store": _back_ends(_known(store))[-1]})
        settings._require_repositories()
        return settings

    @property
    def back_ends(self) -> list[BackEnd]:
        """What the store is made of: the slow one, which holds the datasets, is last."""
        return _back_ends(self.store)

    @property
    def store_place(self) -> str:
        """What holds the datasets, and where that is, for a person; a cache before it too. There is no secret in it."""
        *fast, slow = self.back_ends
        return f"{self._place(slow)}{f' behind a cache in {fast[0]}' if fast else ''}"

    def _place(self, back_end: BackEnd) -> str:
        match back_end:
            case "memory":
                return "memory"
            case "file_system":
                return f"file_system at {self.state_dir}"
            case "redis" | "postgresql":
                address = urlsplit(self.redis_url if back_end == "redis" else self.postgresql_url)
                return f"{back_end} at {address.netloc.rpartition('@')[2]}{address.path}"
            case "huggingface" | "kaggle":
                return f"{back_end} at {getattr(self, HUBS[back_end])}"

    @property
    def quota(self) -> Quota:
        """How much the store takes."""
        return Quota(self.max_datasets, self.max_bytes)

    @property
    def import_folder(self) -> Path:
        """Where csv_import, mnist and arc_agi find their files."""
        return self.import_dir or self.state_dir / "import"
