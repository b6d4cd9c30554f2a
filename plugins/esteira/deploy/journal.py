"""A case's releases.jsonl: what went live when, from what, by whom, and how it ended."""

from __future__ import annotations

import errno
import getpass
import json
import logging
import os
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from types import TracebackType

from pydantic import ValidationError

from esteira.deploy import standing
from esteira.deploy.errors import DiskError
from esteira.deploy.facts import Build, Release, Step
from esteira.settings import Settings

log = logging.getLogger("esteira")


def record(artefatos: Path, release: Release) -> None:
    """Append one line, in one write that is on disk when this returns."""
    path = _path(artefatos, release.case)
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        line = json.dumps(release.model_dump(mode="json", exclude_none=True), ensure_ascii=False) + "\n"
        os.write(descriptor, (_line_break(descriptor) + line).encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def releases(artefatos: Path, case: str) -> list[Release]:
    """The recorded releases of a case, oldest first; a line torn by a crash is passed over."""
    path = _path(artefatos, case)
    found = []
    for number, line in enumerate(path.read_bytes().splitlines() if path.is_file() else (), start=1):
        try:
            found.append(Release.model_validate_json(line))
        except ValidationError:
            log.warning("%s, line %d is not a release; it is passed over", path, number)
    return found


class Attempt:
    """Records a step that fails, whatever ends it, and lets the error pass; a full disk as a DiskError."""

    def __init__(
        self, step: Step, settings: Settings, case: str, version: int | None, build: Build | None = None
    ) -> None:
        self._began = monotonic()
        self._step, self._settings, self._case = step, settings, case
        self.version, self.build, self.back = version, build, False

    @property
    def seconds(self) -> float:
        return round(monotonic() - self._began, 3)

    def __enter__(self) -> Attempt:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is not None and self.version is not None:
            self._record(self._failed(self.version, error))
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskError(
                f"The step {self._step} of {self._case!r} could not be written down ({error}); make room "
                f"where {self._settings.ESTEIRA_HOME} and {self._settings.ARTEFATOS_PATH} lie, and repeat it"
            ) from error

    def _record(self, line: Release) -> None:
        try:
            record(self._settings.ARTEFATOS_PATH, line)
        except OSError as error:
            log.warning("The journal does not say that version %d failed: %s", line.version, error)

    def _failed(self, version: int, error: BaseException) -> Release:
        build, evidence = self.build, getattr(error, "evidence", None)
        known = standing.read(self._settings, self._case)
        return Release(
            when=datetime.now(UTC),
            case=self._case,
            version=version,
            from_version=known.version if known else None,
            target=build.target if build else None,
            image=build.image if build else None,
            dataset_sha256=build.dataset_sha256 if build else None,
            git_commit=build.git_commit if build else None,
            by=user(),
            outcome="failed" if evidence is None else "rolled back",
            back=self.back,
            step=self._step,
            reason=str(error) or type(error).__name__,
            evidence=None if evidence is None else evidence.model_dump(mode="json"),
            seconds=self.seconds,
        )


def user() -> str:
    """Who runs this process, by name where the system knows one."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def _path(artefatos: Path, case: str) -> Path:
    return artefatos / case / "releases.jsonl"


def _line_break(descriptor: int) -> str:
    size = os.fstat(descriptor).st_size
    return "\n" if size and os.pread(descriptor, 1, size - 1) != b"\n" else ""
