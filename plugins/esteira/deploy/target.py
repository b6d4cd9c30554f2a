"""Where an API can be served: a new target is one class and one line in `TARGETS`."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar, Protocol

from esteira.bundle import Bundle
from esteira.deploy import standing
from esteira.deploy.container import DockerTarget
from esteira.deploy.errors import EngineError
from esteira.deploy.facts import Build, Image, Instance, Instances, TargetName
from esteira.deploy.process import ProcessTarget
from esteira.errors import EsteiraError
from esteira.settings import Settings

log = logging.getLogger("esteira")


class Target(Protocol):
    """Starts, finds and ends the instances of one home."""

    name: ClassVar[TargetName]
    shares_traffic: ClassVar[bool]
    """Whether old and new can each get a share of the requests, for a canary."""

    def __init__(self, settings: Settings) -> None:
        """Raises EngineError when this target cannot be used now."""

    def prepare(self, bundle: Bundle, commit: str | None, bundle_sha: str) -> Image | None:
        """Make what instances of a version are started from."""

    def start(self, build: Build, replicas: int) -> Instances:
        """Start a version out of the callers' reach; on failure nothing is left of it."""

    def take_over(self, new: Instances, port: int) -> Instances:
        """Have a started version ready to serve on a port, beside what serves there; who will.

        On failure what serves there serves on.
        """

    def route(self) -> None:
        """Bring the requests to those that are to serve, by each case's standing."""

    def end_trial(self, case: str) -> None:
        """Have no more of a case's questions copied to anybody."""

    def free_port(self) -> None:
        """Let go of the public port, for another target; `route` takes it again."""

    def instances(self, case: str | None) -> list[Instance]:
        """What was started and not removed, running or not; None is every case."""

    def is_running(self, instance: Instance) -> bool:
        """Whether an instance has not ended."""

    def last_lines(self, instance: Instance) -> str:
        """The end of what an instance wrote."""

    def retire(self, instance: Instance) -> bool:
        """Let an instance finish what it began and end it; whether it is kept, so that it can be revived."""

    def revive(self, instance: Instance) -> Instance:
        """Start an instance that ended or was retired."""

    def remove(self, instance: Instance) -> None:
        """Let an instance finish what it began, and leave nothing of it."""

    def prune(self, case: str, keep: int) -> None:
        """Remove what is needed by none but versions older than the last `keep` that served before."""


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


def remove(target: Target, instances: Instances) -> None:
    """Have nothing left of several instances."""
    for instance in instances:
        target.remove(instance)


@contextmanager
def removed_on_failure(target: Target, instances: Instances, settings: Settings) -> Iterator[None]:
    """Have nothing left of instances that are not to serve after all.

    An error that may pass leaves them: the step that is tried again goes on with them, and the next one of
    another release removes them.
    """
    try:
        yield
    except BaseException as error:
        if not (isinstance(error, EsteiraError) and error.may_pass):
            remove(target, standing.idle(settings, instances))
        raise
