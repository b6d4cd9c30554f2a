"""What a container may be that this project creates: the type is the rule."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from esteira.engineproxy.engine import LABEL
from esteira.engineproxy.refused import RefusedError

SOCKETS = "/run/esteira/api"
"""Where a container's own socket lies, in the one volume that it may mount."""
_LARGEST_MEMORY = 4 * 2**30
_TMPFS_DENIES = {"noexec", "nosuid", "nodev"}
_TMPFS_SIZE = re.compile(r"size=(\d{1,12})([kmg]?)", re.ASCII)
_UNITS = {"": 0, "k": 10, "m": 20, "g": 30}
_LARGEST_TMPFS = 512 * 2**20


class _Strict(BaseModel):
    """Says what is allowed; a key that is not named here may only be there if it says nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _without_what_says_nothing(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        return {key: value for key, value in given.items() if value or key in cls.model_fields}


def _only_the_volume(bind: str, info: ValidationInfo) -> str:
    volume = info.context["volume"] if info.context else ""
    if not volume or bind.removesuffix(":rw") != f"{volume}:{SOCKETS}":
        raise ValueError(f"only the volume {volume} may be mounted, at {SOCKETS}")
    return bind


def _denied(options: str) -> str:
    given = options.split(",")
    if not set(given) >= _TMPFS_DENIES:
        raise ValueError(f"needs the options {', '.join(sorted(_TMPFS_DENIES))}")
    others = [one for one in given if one not in {"rw", *_TMPFS_DENIES}]
    if len(others) != 1 or not _is_bounded(others[0]):
        raise ValueError(f"needs besides one size of at most {_LARGEST_TMPFS:,} bytes, and nothing else")
    return options


def _is_bounded(option: str) -> bool:
    size = _TMPFS_SIZE.fullmatch(option)
    return size is not None and 0 < int(size[1]) << _UNITS[size[2]] <= _LARGEST_TMPFS


def _sockets_only(places: Any) -> None:
    if places and list(places) != [SOCKETS]:
        raise ValueError(f"only {SOCKETS} may be a volume")


class Mount(_Strict):
    """The volume of the sockets, mounted."""

    Type: Literal["volume"]
    Source: str
    Target: str

    @model_validator(mode="after")
    def _is_the_volume(self, info: ValidationInfo) -> Mount:
        _only_the_volume(f"{self.Source}:{self.Target}", info)
        return self


class Logs(_Strict):
    """Logs in files that are bounded."""

    Type: Literal["json-file"]
    Config: dict[Literal["max-size", "max-file"], str] = {}


class Restart(_Strict):
    """When the engine starts it again."""

    Name: Literal["no", "on-failure", "unless-stopped"] = "no"
    MaximumRetryCount: int = 0


class Confined(_Strict):
    """No network, no capability, nothing writable but a bounded /tmp and the sockets, and limits."""

    NetworkMode: Literal["none"]
    CapDrop: tuple[Literal["ALL"]]
    SecurityOpt: tuple[Literal["no-new-privileges:true", "no-new-privileges"]]
    ReadonlyRootfs: Literal[True]
    Memory: int = Field(gt=0, le=_LARGEST_MEMORY)
    MemorySwap: int = Field(gt=0, le=_LARGEST_MEMORY)
    PidsLimit: int = Field(gt=0, le=1024)
    NanoCpus: int = Field(0, ge=0)
    Init: bool | None = None
    Tmpfs: dict[Literal["/tmp"], Annotated[str, AfterValidator(_denied)]] = {}  # noqa: S108
    LogConfig: Logs | None = None
    RestartPolicy: Restart | None = None
    Binds: tuple[Annotated[str, AfterValidator(_only_the_volume)], ...] | None = None
    Mounts: tuple[Mount, ...] | None = None


class Creation(_Strict):
    """A container of one of this project's images, as the image says and no other way."""

    Image: str
    Labels: dict[str, str]
    Env: tuple[str, ...] | None = None
    HostConfig: Confined
    StopSignal: str | None = None
    StopTimeout: int | None = None
    AttachStdout: bool = False
    AttachStderr: bool = False
    Volumes: Annotated[None, BeforeValidator(_sockets_only)] = None

    @model_validator(mode="after")
    def _is_of_this_home(self, info: ValidationInfo) -> Creation:
        home = info.context["home"] if info.context else ""
        if self.Labels.get(LABEL) != home:
            raise ValueError(f"Labels: needs {LABEL}={home}")
        return self


def allowed(asked: Any, *, home: str, volume: str) -> Creation:
    """A container that may be created; raises RefusedError with the first thing that it may not have."""
    try:
        return Creation.model_validate(asked, context={"home": home, "volume": volume})
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        said = first["msg"].removeprefix("Value error, ")
        sent = "" if first["type"] == "missing" else f", not {first['input']!r}"
        what = "may not be set" if first["type"] == "extra_forbidden" else f"{said}{sent}"
        raise RefusedError(f"This container may not be created: {place}: {what}" if place else said) from None
