"""What passes between the steps of a release."""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

TargetName = Literal["docker", "process"]
Role = Literal["live", "trial"]
Step = Literal["build", "start", "switch"]


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
    bundle_sha256: str
    dataset_sha256: str
    git_commit: str | None
    seconds: float

    def sentence(self) -> str:
        what = f"image {self.image.name}" if self.image else "verified, for a local process"
        return f"version {self.version}: {what}, in {self.seconds:.1f} s"


class Instance(_Fact):
    """One started API; `handle` is how its target finds it again."""

    target: TargetName
    case: str
    version: int
    role: Role
    id: str
    handle: str
    port: int
    created: float
    running: bool

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __str__(self) -> str:
        noun = "container" if self.target == "docker" else self.target
        return f"{self.role} {noun} of {self.case!r} version {self.version} ({self.id})"


class Started(_Fact):
    """A build whose trial answered every golden example as the training process did."""

    build: Build
    trial: Instance
    golden: int
    seconds: float

    def sentence(self) -> str:
        return f"ready, and {self.golden} golden examples answered as in training, in {self.seconds:.1f} s"


class Release(_Fact):
    """One line of releases.jsonl: what was to go live when, from what, by whom, and how it ended."""

    when: datetime
    case: str
    version: int
    from_version: int | None = None
    target: TargetName | None = None
    image: Image | None = None
    instance: str | None = None
    url: str | None = None
    by: str
    dataset_sha256: str | None = None
    git_commit: str | None = None
    outcome: Literal["live", "failed"]
    step: Step
    reason: str | None = None
    seconds: float

    def sentence(self) -> str:
        before = f", after version {self.from_version}" if self.from_version else ""
        return f"{self.case} version {self.version} is {self.outcome} at {self.url}{before}"


class Live(_Fact):
    """What answers at `url` for a case."""

    case: str
    version: int
    target: TargetName
    instance: str
    url: str


def home_id(home: Path) -> str:
    """A short name of a home, so that two checkouts leave each other's instances alone."""
    return hashlib.sha256(str(home.resolve()).encode()).hexdigest()[:12]
