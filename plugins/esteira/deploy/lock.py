"""One release of a case at a time."""

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from esteira.deploy.errors import LockedError
from esteira.settings import Settings

LOCK_SECONDS = 180.0
_own = threading.local()


@contextmanager
def locked(settings: Settings, case: str, *, seconds: float = LOCK_SECONDS) -> Iterator[None]:
    """Hold the case's release lock, again where this thread holds it; it is let go when its holder dies.

    Raises LockedError, naming the holder, when it is not free within `seconds`.
    """
    path = settings.ESTEIRA_HOME / "api" / f"{case}.lock"
    if path in _held():
        yield
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        _wait(file, case, seconds)
        file.truncate(0)
        with suppress(OSError):  # on a full disk those that wait are not told who holds it
            os.write(file.fileno(), str(os.getpid()).encode())
        _held().add(path)
        try:
            yield
        finally:
            _held().remove(path)


def _held() -> set[Path]:
    """The locks of this thread."""
    if not hasattr(_own, "paths"):
        _own.paths = set()
    paths: set[Path] = _own.paths
    return paths


def _wait(file: IO[str], case: str, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not _taken(file):
        if time.monotonic() > deadline:
            file.seek(0)
            raise LockedError(
                f"Another release of {case!r} (process {file.read() or 'unknown'}) has not ended within "
                f"{seconds:.0f} s; wait for it, or end that process, and run this again"
            )
        time.sleep(0.05)


def _taken(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
