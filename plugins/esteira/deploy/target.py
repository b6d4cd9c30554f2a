"""Where an API can be served: a new target is one class and one line in `TARGETS`."""

from __future__ import annotations

import logging
from typing import ClassVar, Protocol

from esteira.bundle import Bundle
from esteira.deploy.container import DockerTarget
from esteira.deploy.errors import EngineError
from esteira.deploy.facts import Build, Image, Instance, TargetName
from esteira.deploy.process import ProcessTarget
from esteira.settings import Settings

log = logging.getLogger("esteira")


class Target(Protocol):
    """Starts, finds and ends the instances of one home."""

    name: ClassVar[TargetName]

    def __init__(self, settings: Settings) -> None:
        """Raises EngineError when this target cannot be used now."""

    def prepare(self, bundle: Bundle, commit: str | None, bundle_sha: str) -> Image | None:
        """Make what instances of a version are started from."""

    def start_trial(self, build: Build) -> Instance:
        """Start a version on a spare port; on failure nothing is left of it."""

    def start_live(self, build: Build, port: int) -> Instance:
        """Start a version on the public port, beside the one of this target that serves there."""

    def instances(self, case: str | None) -> list[Instance]:
        """What was started and not removed, running or not; None is every case."""

    def is_running(self, instance: Instance) -> bool:
        """Whether an instance has not ended."""

    def last_lines(self, instance: Instance) -> str:
        """The end of what an instance wrote."""

    def halt(self, instance: Instance) -> None:
        """Let a live instance finish what it began and free its port; `start_again` brings it back."""

    def start_again(self, instance: Instance) -> Instance:
        """Start a live instance that ended or was halted."""

    def confirm(self, instance: Instance) -> None:
        """The instance is the live one from now on."""

    def remove(self, instance: Instance) -> None:
        """Let an instance finish what it began, and leave nothing of it."""

    def tidy(self, case: str | None) -> None:
        """Remove what serves no instance; None is every case."""

    def prune(self, case: str) -> None:
        """Remove what only old versions needed."""


TARGETS: dict[TargetName, type[Target]] = {
    "docker": DockerTarget,
    "process": ProcessTarget,
}
"""In the order in which `auto` tries them."""


def pick(settings: Settings) -> Target:
    """The target that DEPLOY_TARGET asks for; `auto` is the first that can be used.

    Raises EngineError when the one that is asked for cannot be used.
    """
    if settings.DEPLOY_TARGET != "auto":
        return TARGETS[settings.DEPLOY_TARGET](settings)
    return next(iter(usable(settings).values()))


def usable(settings: Settings) -> dict[TargetName, Target]:
    """Every target that can be used now, whichever is asked for: what is live may be on another."""
    found: dict[TargetName, Target] = {}
    for name, target in TARGETS.items():
        try:
            found[name] = target(settings)
        except EngineError as error:
            log.debug("%s is not usable: %s", name, error)
    return found
