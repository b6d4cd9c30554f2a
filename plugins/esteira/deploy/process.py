"""Serves a version from a local process, where no Docker engine answers.

Old and new bind the public port side by side, so that no request falls between them. What is live is
remembered in a record, so that it can be started again when it has ended.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, ValidationError

from esteira.bundle import Bundle
from esteira.deploy import child
from esteira.deploy import port as ports
from esteira.deploy.facts import Build, Instance, Role, TargetName, home_id
from esteira.settings import Settings

DRAIN_SECONDS = 40
"""Longer than the API takes to finish the longest request."""
_LAST_LINES = 20


class Record(BaseModel):
    """`<home>/api/<case>.json`: the process that is live, or was when it was last seen."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pid: int
    create_time: float
    log: Path
    instance: Instance


class ProcessTarget:
    """Processes of this home."""

    name: ClassVar[TargetName] = "process"

    def __init__(self, settings: Settings) -> None:
        self._root = settings.ESTEIRA_HOME
        self._artefatos = settings.ARTEFATOS_PATH
        self._home = home_id(settings.ESTEIRA_HOME)

    def prepare(self, bundle: Bundle, commit: str | None, bundle_sha: str) -> None:
        """Nothing to do: the process reads the version where it was published."""

    def start_trial(self, build: Build) -> Instance:
        return self._start(build.case, build.version, "trial", ports.spare())

    def start_live(self, build: Build, port: int) -> Instance:
        return self._start(build.case, build.version, "live", port)

    def instances(self, case: str | None) -> list[Instance]:
        running = [found for found in child.find_all(self._home) if case in (None, found.case)]
        known = {instance.id for instance in running}
        ended = [record.instance for record in self._records(case) if record.instance.id not in known]
        return running + [instance.model_copy(update={"running": False}) for instance in ended]

    def is_running(self, instance: Instance) -> bool:
        return child.find(instance) is not None

    def last_lines(self, instance: Instance) -> str:
        path = self._log_path(instance)
        if not path.is_file():
            return ""
        return "\n".join(path.read_text(errors="replace").splitlines()[-_LAST_LINES:])

    def halt(self, instance: Instance) -> None:
        child.end(instance, DRAIN_SECONDS)

    def start_again(self, instance: Instance) -> Instance:
        self.halt(instance)
        again = self._start(instance.case, instance.version, "live", instance.port)
        self.confirm(again)
        return again

    def confirm(self, instance: Instance) -> None:
        process = child.find(instance)
        if process is None:
            return
        record = Record(
            pid=process.pid,
            create_time=process.create_time(),
            log=self._log_path(instance),
            instance=instance,
        )
        path = self._record_path(instance.case)
        staged = path.with_suffix(".json.new")
        staged.write_text(record.model_dump_json(indent=2))
        staged.replace(path)

    def remove(self, instance: Instance) -> None:
        self.halt(instance)
        for record in self._records(instance.case):
            if record.instance.id == instance.id:
                self._record_path(instance.case).unlink(missing_ok=True)

    def tidy(self, case: str | None) -> None:
        """Nothing to do: a process leaves nothing behind."""

    def prune(self, case: str) -> None:
        """Nothing to do: a process needs nothing but its version."""

    def _start(self, case: str, version: int, role: Role, port: int) -> Instance:
        instance = Instance(
            target="process",
            case=case,
            version=version,
            role=role,
            id=uuid.uuid4().hex[:8],
            handle="",
            port=port,
            created=time.time(),
            running=True,
        )
        pid = child.spawn(instance, self._home, self._artefatos, self._log_path(instance))
        return instance.model_copy(update={"handle": str(pid)})

    def _records(self, case: str | None) -> Iterator[Record]:
        for path in (self._root / "api").glob(f"{case or '*'}.json"):
            try:
                yield Record.model_validate_json(path.read_bytes())
            except ValidationError:
                path.unlink(missing_ok=True)

    def _record_path(self, case: str) -> Path:
        return self._root / "api" / f"{case}.json"

    def _log_path(self, instance: Instance) -> Path:
        name = f"api-{instance.case}-v{instance.version}-{instance.role}.log"
        return self._root / "logs" / name
