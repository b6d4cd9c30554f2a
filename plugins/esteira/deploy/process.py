"""Serves a version from a local process, where no Docker engine answers.

Old and new bind the public port side by side, so that no request falls between them.
"""

from __future__ import annotations

import time
import uuid
from pathlib import Path
from typing import ClassVar

from esteira.bundle import Bundle
from esteira.deploy import child, standing
from esteira.deploy import port as ports
from esteira.deploy.facts import Build, Instance, Instances, Role, Standing, TargetName, home_id
from esteira.deploy.probe import await_ready
from esteira.settings import Settings

DRAIN_SECONDS = 40
"""Longer than the API takes to finish the longest request."""
_LAST_LINES = 20


class ProcessTarget:
    """Processes of this home."""

    name: ClassVar[TargetName] = "process"
    shares_traffic: ClassVar[bool] = False

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._home = home_id(settings)

    def prepare(self, bundle: Bundle, commit: str | None, bundle_sha: str) -> None:
        """Nothing to do: the process reads the version where it was published."""

    def start(self, build: Build, replicas: int) -> Instances:  # noqa: ARG002
        """One process, however many replicas are asked for: they would share its port and its end."""
        return (self._start(build.case, build.version, "trial", ports.spare()),)

    def take_over(self, new: Instances, port: int) -> Instances:
        """A process of the same version on the public port, in the place of the one on trial."""
        (tried,) = new
        live = self._start(tried.case, tried.version, "live", port)
        try:
            await_ready(live, self.is_running, self.last_lines)
        except BaseException:
            self.remove(live)
            raise
        self.remove(tried)
        return (live,)

    def route(self) -> None:
        """Nothing to do: a process takes what comes to its port."""

    def end_trial(self, case: str) -> None:
        """Nothing to do: there are no copies."""

    def free_port(self) -> None:
        """Nothing to do: a process holds its port while it runs."""

    def instances(self, case: str | None) -> list[Instance]:
        running = [found for found in child.find_all(self._home) if case in (None, found.case)]
        known = {one.case: one for one in standing.read_all(self._settings) if one.target == self.name}
        found = [_of(instance, known.get(instance.case)) for instance in running]
        ids = {instance.id for instance in running}
        ended = [one for one in known.values() if case in (None, one.case) and not ids & set(one.instances)]
        return found + [_ended(one) for one in ended]

    def is_running(self, instance: Instance) -> bool:
        return child.find(instance) is not None

    def last_lines(self, instance: Instance) -> str:
        path = self._log_path(instance)
        if not path.is_file():
            return ""
        return "\n".join(path.read_text(errors="replace").splitlines()[-_LAST_LINES:])

    def retire(self, instance: Instance) -> bool:
        """Nothing is kept of it: the next process of its version starts as quickly."""
        child.end(instance, DRAIN_SECONDS)
        return False

    def revive(self, instance: Instance) -> Instance:
        self.retire(instance)
        return self._start(instance.case, instance.version, "live", instance.port, instance.id)

    def remove(self, instance: Instance) -> None:
        self.retire(instance)

    def prune(self, case: str, keep: int) -> None:
        """Nothing to do: a process needs nothing but its version."""

    def _start(self, case: str, version: int, role: Role, port: int, identity: str = "") -> Instance:
        instance = Instance(
            target="process",
            case=case,
            version=version,
            role=role,
            id=identity or f"v{version}-{uuid.uuid4().hex[:8]}",
            handle="",
            port=port,
            created=time.time(),
            running=True,
        )
        artefatos = self._settings.ARTEFATOS_PATH
        pid = child.spawn(instance, self._home, artefatos, self._log_path(instance))
        return instance.model_copy(update={"handle": str(pid)})

    def _log_path(self, instance: Instance) -> Path:
        name = f"api-{instance.case}-v{instance.version}-{instance.role}.log"
        return self._settings.ESTEIRA_HOME / "logs" / name


def _of(instance: Instance, known: Standing | None) -> Instance:
    serves = known is not None and instance.id in known.instances
    return instance.model_copy(update={"role": "live" if serves else "trial"})


def _ended(known: Standing) -> Instance:
    return Instance(
        target="process",
        case=known.case,
        version=known.version,
        role="live",
        id=known.instances[0],
        handle="0",
        port=known.port,
        created=0.0,
        running=False,
    )
