"""What passes between the steps of a release."""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from esteira.settings import Settings

TargetName = Literal["docker", "process"]
Role = Literal["live", "trial", "kept"]
"""What serves, what was started and is not to serve yet, and what was stopped to be gone back to."""

Step = Literal["build", "start", "golden", "canary", "switch", "retire"]
Outcome = Literal["live", "failed", "rolled back", "withdrawn", "restored", "pinned", "unpinned"]


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Image(_Fact):
    """A container image by its name and the engine's own id for its content."""

    name: str
    id: str


class Build(_Fact):
    """A verified version, ready to be started; `image` only where the target is Docker."""

    case: str
    version: int
    target: TargetName
    image: Image | None
    title: str
    bundle_sha256: str
    dataset_sha256: str
    git_commit: str | None
    seconds: float

    def sentence(self) -> str:
        what = f"image {self.image.name}" if self.image else "verified, for a local process"
        return f"version {self.version}: {what}, in {self.seconds:.1f} s"


class Instance(_Fact):
    """One started API; `id` holds its version, as in `v3-1a2b3c4d`, and `handle` is how its target finds it.

    It answers on `port` of this machine or, where only a gateway is to reach it, on the Unix socket `path`.
    """

    target: TargetName
    case: str
    version: int
    role: Role
    id: str
    handle: str
    port: int
    path: Path | None = None
    created: float
    running: bool

    def __str__(self) -> str:
        noun = "container" if self.target == "docker" else self.target
        return f"{self.role} {noun} of {self.case!r} version {self.version} ({self.id})"


Instances = tuple[Instance, ...]


class Wanted(_Fact):
    """What one release asks for in the place of its case's own words; None leaves the case's."""

    canary: int | None = Field(None, ge=0, le=50)
    """Percent of the requests."""
    bake: float | None = Field(None, gt=0)
    """Seconds."""
    shadow: int | None = Field(None, ge=0, le=100)
    """Percent of the requests that are copied."""


class Standing(_Fact):
    """Who is to serve a case: writing it is what makes a release or undoes it."""

    case: str
    title: str
    version: int
    target: TargetName
    instances: tuple[str, ...]
    port: int
    trial: tuple[str, ...] = ()
    """Those that get `percent` of the requests, to be watched."""
    percent: int = 0


class Started(_Fact):
    """A build that runs beside what is live, ready, and out of the callers' reach."""

    build: Build
    instances: Instances
    seconds: float

    def sentence(self) -> str:
        many = f"{len(self.instances)} replicas are" if len(self.instances) > 1 else "it is"
        return f"{many} ready beside what is live, in {self.seconds:.1f} s"


class Verified(_Fact):
    """A started build that answered every golden example as the training process did."""

    started: Started
    golden: int
    seconds: float
    evidence: dict[str, Any] | None = None
    """What the canary or the shadow showed."""

    def sentence(self) -> str:
        return f"{self.golden} golden examples answered as in training, in {self.seconds:.1f} s"


class Release(_Fact):
    """One line of releases.jsonl: what was to go live when, from what, by whom, and how it ended."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    when: datetime
    case: str
    version: int
    from_version: int | None = None
    target: TargetName | None = None
    image: Image | None = None
    instances: tuple[str, ...] = ()
    url: str | None = None
    by: str
    dataset_sha256: str | None = None
    git_commit: str | None = None
    outcome: Outcome
    back: bool = False
    """Whether somebody went back to an earlier version."""
    step: Step | None = None
    reason: str | None = None
    evidence: dict[str, Any] | None = None
    seconds: float = 0.0

    def sentence(self) -> str:
        before = f", after version {self.from_version}" if self.from_version else ""
        return f"{self.case} version {self.version} is {self.outcome} at {self.url}{before}"


class Live(_Fact):
    """What answers at `url` for a case."""

    case: str
    version: int
    target: TargetName
    instances: tuple[str, ...]
    url: str


class Retired(_Fact):
    """What became of the version that served before."""

    version: int | None
    kept: bool
    seconds: float

    def sentence(self) -> str:
        if self.version is None:
            return "nothing served before"
        fate = "stopped, and kept for going back" if self.kept else "ended"
        return f"version {self.version} finished what it began and is {fate}, in {self.seconds:.1f} s"


def home_id(settings: Settings) -> str:
    """A short name of a home, so that two checkouts leave each other's instances alone."""
    return settings.HOME_ID or hashlib.sha256(str(settings.ESTEIRA_HOME.resolve()).encode()).hexdigest()[:12]
