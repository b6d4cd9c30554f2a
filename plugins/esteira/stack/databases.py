"""Makes and upgrades the services' SQLite databases so that a half-made one never has the real name.

A migration works on a copy (or on a new file), which takes the database's name only when it is
complete. Killed at any moment, it leaves the database as it was.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import psutil

from esteira.errors import EsteiraError
from esteira.stack.home import Home, Say, write_private
from esteira.stack.logs import tail
from esteira.stack.processes import Program, is_alive, start

_BROKEN = frozenset({sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT})
_PRIMARY = 0xFF
"""SQLite's extended codes hold the plain one in their lowest byte."""


class DatabaseError(EsteiraError):
    """A database could not be read, made or brought to the installed version's schema."""


@dataclass(frozen=True, kw_only=True)
class Database:
    """A service's database, and the program that brings a file to the schema of the service's package."""

    path: Path
    package: str
    migration: Callable[[str], Program]

    @property
    def stamp(self) -> Path:
        """Names the package version that the schema is of."""
        return self.path.with_suffix(".schema")

    @property
    def staging(self) -> Path:
        return self.path.with_suffix(".new.db")


def prepare(home: Home, database: Database, say: Say) -> Iterator[None]:
    """Bring the database to the installed version, yielding while that takes time."""
    wanted = f"{database.package} {version(database.package)}"
    _set_aside_if_broken(database, say)
    if database.path.exists() and _read(database.stamp) == wanted:
        return
    _remove(database.staging)
    if database.path.exists():
        say(f"Upgrading {database.path.name} to {wanted}")
        _copy(database.path, database.staging)
    program = database.migration(f"sqlite:///{database.staging}")
    yield from _finish(start(home, program), home.log(program.name), database)
    _fold_in_journal(database.staging)
    _remove_sidecars(database.path)
    database.staging.replace(database.path)
    _remove_sidecars(database.staging)
    write_private(database.stamp, wanted)


def _finish(process: psutil.Process, log: Path, database: Database) -> Iterator[None]:
    while is_alive(process):
        yield
    if not _is_complete(database.staging):
        raise DatabaseError(
            f"{database.path} could not be made ready for {database.package}; "
            f"what happened is in {log}\n{tail(log)}"
        )


def _set_aside_if_broken(database: Database, say: Say) -> None:
    if not database.path.exists() or _is_complete(database.path):
        return
    aside = database.path.with_suffix(f".broken-{time.strftime('%Y%m%d-%H%M%S')}")
    database.path.replace(aside)
    _remove_sidecars(database.path)
    say(f"{database.path} is not a complete database: moved to {aside.name}, a new one is made")


def _is_complete(path: Path) -> bool:
    """Whether the last step of a migration, the note of the schema's revision, is there.

    Raises DatabaseError for a file that cannot be read now, which says nothing about what is in it.
    """
    try:
        # for reading alone SQLite refuses what a process that was killed has not written to the end
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True)) as connection:
            return connection.execute("select 1 from alembic_version").fetchone() is not None
    except sqlite3.Error as error:
        if _is_broken(error):
            return False
        raise DatabaseError(
            f"{path} cannot be read now ({error}); end what holds it open, such as a backup or another "
            "Airflow or MLflow, see that this user may write to it and its folder, and start again"
        ) from None


def _is_broken(error: sqlite3.Error) -> bool:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & _PRIMARY
    return code in _BROKEN or "no such table" in str(error)


def _copy(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)


def _fold_in_journal(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("pragma wal_checkpoint(truncate)")


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    _remove_sidecars(path)


def _remove_sidecars(path: Path) -> None:
    for suffix in ("-journal", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None
