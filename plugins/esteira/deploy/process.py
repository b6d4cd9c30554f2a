"""Serves a version from a local process, where no Docker engine answers.

Old and new bind the public port side by side, so no request falls between them. A process is found by the
marks in its environment; what was live is remembered in a record, so that it can be started again.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import psutil
from pydantic import BaseModel, ConfigDict, ValidationError

from esteira.bundle import Bundle
from esteira.deploy import port as ports
from esteira.deploy.facts import Build, Instance, Role, TargetName, home_id
from esteira.settings import PROJECT, Settings

DRAIN_SECONDS = 40
"""Longer than the API takes to finish the longest request."""
_LAST_LINES = 20
_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR")
_HOME_MARK, _ROLE_MARK, _CREATED_MARK = "ESTEIRA_API_HOME", "ESTEIRA_API_ROLE", "ESTEIRA_API_CREATED"


class Record(BaseModel):
    """`<home>/api/<case>.json`: the process that is live, or was when it was last seen."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pid: int
    create_time: float
    log: Path
    instance: Instance


class ProcessTarget:
    """Processes of this home, found by the marks in their environment and the records of those that ended."""

    name: ClassVar[TargetName] = "process"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._home = home_id(settings.ESTEIRA_HOME)

    def prepare(self, bundle: Bundle, commit: str | None, bundle_sha: str) -> None:
        """Nothing to do: the process reads the version where it was published."""

    def start_trial(self, build: Build) -> Instance:
        return self._start(build.case, build.version, "trial", ports.spare())

    def start_live(self, build: Build, port: int) -> Instance:
        return self._start(build.case, build.version, "live", port)

    def instances(self, case: str | None) -> list[Instance]:
        running = [instance for instance in self._running() if case in (None, instance.case)]
        known = {instance.id for instance in running}
        ended = [record.instance for record in self._records(case) if record.instance.id not in known]
        return running + [instance.model_copy(update={"running": False}) for instance in ended]

    def is_running(self, instance: Instance) -> bool:
        return _process(instance) is not None

    def last_lines(self, instance: Instance) -> str:
        path = self._log_path(instance.case, instance.version, instance.role)
        if not path.is_file():
            return ""
        return "\n".join(path.read_text(errors="replace").splitlines()[-_LAST_LINES:])

    def halt(self, instance: Instance) -> None:
        process = _process(instance)
        if process is None:
            return
        try:
            process.terminate()
            process.wait(DRAIN_SECONDS)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait(DRAIN_SECONDS)
        except psutil.NoSuchProcess:
            return

    def start_again(self, instance: Instance) -> Instance:
        self.halt(instance)
        again = self._start(instance.case, instance.version, "live", instance.port)
        self.confirm(again)
        return again

    def confirm(self, instance: Instance) -> None:
        """Remember the instance as what is live."""
        pid, create_time = instance.handle.split(":")
        log = self._log_path(instance.case, instance.version, instance.role)
        record = Record(pid=int(pid), create_time=float(create_time), log=log, instance=instance)
        path = self._record_path(instance.case)
        path.parent.mkdir(parents=True, exist_ok=True)
        staged = path.with_suffix(".json.new")
        staged.write_text(record.model_dump_json(indent=2))
        staged.replace(path)

    def remove(self, instance: Instance) -> None:
        self.halt(instance)
        for record in self._records(instance.case):
            if record.instance.id == instance.id:
                self._record_path(instance.case).unlink(missing_ok=True)

    def prune(self, case: str) -> None:
        """Nothing to do: a process leaves nothing behind."""

    def _start(self, case: str, version: int, role: Role, port: int) -> Instance:
        identity, created = uuid.uuid4().hex[:8], time.time()
        environment = {key: os.environ[key] for key in _INHERITED if key in os.environ} | {
            "PYTHONPATH": f"{PROJECT / 'plugins'}{os.pathsep}{PROJECT}",
            "PYTHONUNBUFFERED": "1",
            "CASE": case,
            "MODEL_VERSION": str(version),
            "ARTEFATOS_PATH": str(self._settings.ARTEFATOS_PATH),
            "API_HOST": "127.0.0.1",
            "API_PORT": str(port),
            "INSTANCE_ID": identity,
            _HOME_MARK: self._home,
            _ROLE_MARK: role,
            _CREATED_MARK: str(created),
        }
        pid = _spawn(environment, self._log_path(case, version, role))
        return Instance(
            target="process",
            case=case,
            version=version,
            role=role,
            id=identity,
            handle=f"{pid}:{created}",
            port=port,
            created=created,
            running=True,
        )

    def _running(self) -> Iterator[Instance]:
        for process in psutil.process_iter():
            marks = _environment(process)
            if marks.get(_HOME_MARK) == self._home and "INSTANCE_ID" in marks:
                yield Instance(
                    target="process",
                    case=marks["CASE"],
                    version=int(marks["MODEL_VERSION"]),
                    role="live" if marks[_ROLE_MARK] == "live" else "trial",
                    id=marks["INSTANCE_ID"],
                    handle=f"{process.pid}:{marks[_CREATED_MARK]}",
                    port=int(marks["API_PORT"]),
                    created=float(marks[_CREATED_MARK]),
                    running=True,
                )

    def _records(self, case: str | None) -> Iterator[Record]:
        for path in (self._settings.ESTEIRA_HOME / "api").glob(f"{case or '*'}.json"):
            try:
                yield Record.model_validate_json(path.read_bytes())
            except ValidationError:
                path.unlink(missing_ok=True)

    def _record_path(self, case: str) -> Path:
        return self._settings.ESTEIRA_HOME / "api" / f"{case}.json"

    def _log_path(self, case: str, version: int, role: Role) -> Path:
        return self._settings.ESTEIRA_HOME / "logs" / f"api-{case}-v{version}-{role}.log"


def _spawn(environment: dict[str, str], log: Path) -> int:
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "app"],
            cwd=PROJECT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    # Without somebody who waits for it, an API that ends stays in the process table as long as we do.
    threading.Thread(target=process.wait, daemon=True).start()
    return process.pid


def _process(instance: Instance) -> psutil.Process | None:
    try:
        process = psutil.Process(int(instance.handle.split(":")[0]))
    except psutil.NoSuchProcess:
        return None
    return process if _environment(process).get("INSTANCE_ID") == instance.id else None


def _environment(process: psutil.Process) -> dict[str, str]:
    try:
        return process.environ()
    except (psutil.Error, OSError):
        return {}
