"""Folders for files in the making: private to one writer, and removed after it even if it was killed."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from esteira.errors import EsteiraError

_PREFIX = ".work-"
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_FULL_WORDS = ("no space left", "file too large", "disk quota", "max_temp_directory_size")


class DiskFullError(EsteiraError):
    """The disk has no room for what is being written."""


@contextmanager
def opened(folder: Path) -> Iterator[Path]:
    """A new folder inside `folder`, on the same disk, that is gone when the block ends.

    Folders left by writers that died are removed first: the kernel lets go of a dead writer's lock.
    A full disk is reported as DiskFullError.
    """
    with _explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with locked(folder):
            _remove_dead(folder)
            path = folder / f"{_PREFIX}{uuid.uuid4().hex}"
            path.mkdir()
            lock = (path / "lock").open("w")
            fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)
            lock.close()


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, for the moment in which names are given."""
    with (folder / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def put_in_place(files: Mapping[Path, Path]) -> None:
    """Move each file (from → to) under its final name, in the order given, with its content on the disk."""
    for source in files:
        with source.open("rb") as file:
            os.fsync(file.fileno())
    for source, target in files.items():
        source.replace(target)


def _remove_dead(folder: Path) -> None:
    for path in folder.glob(f"{_PREFIX}*"):
        try:
            with (path / "lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        except FileNotFoundError:
            pass
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    import duckdb

    try:
        yield
    except OSError as error:
        if error.errno in _FULL or _says_full(error):
            raise _disk_full(folder, error) from error
        raise
    except duckdb.Error as error:
        if _says_full(error):
            raise _disk_full(folder, error) from error
        raise


def _says_full(error: Exception) -> bool:
    return any(words in str(error).lower() for words in _FULL_WORDS)


def _disk_full(folder: Path, error: Exception) -> DiskFullError:
    cause = str(error).splitlines()[0]
    return DiskFullError(
        f"The disk of {folder} has no room for what is being written ({cause}); nothing was changed. "
        f"Make room there, or point the setting for this folder to another disk, and run the step again"
    )
