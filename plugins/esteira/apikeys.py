"""The API keys of a home: who may ask an API that others can reach.

    <home>/api/keys.json    names, rates and the SHA-256 of each key; a key itself is nowhere

A running API reads the file again when it changes. It is no secret: from a hash nobody gets the key, which
is 32 random bytes.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from esteira.errors import EsteiraError

PREFIX = "esteira_"
"""Before each key, so that what looks for secrets in texts finds it."""
NAME_PATTERN = r"^[A-Za-z0-9._-]{1,64}$"


class ApiKeyError(EsteiraError):
    """There is no such key, or one of that name already, or the file cannot be used."""


class ApiKey(BaseModel):
    """What is known of a key."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(pattern=NAME_PATTERN)
    sha256: str
    rate: float | None = Field(None, gt=0, allow_inf_nan=False)
    """Requests a second; None is without a limit."""
    created: datetime


class ApiKeys(BaseModel):
    """The file."""

    keys: tuple[ApiKey, ...] = ()


def path(home: Path) -> Path:
    """Where the file of a home is."""
    return home / "api" / "keys.json"


def read(home: Path) -> tuple[ApiKey, ...]:
    """The keys there are; raises ApiKeyError when the file cannot be read."""
    place = path(home)
    try:
        return ApiKeys.model_validate_json(place.read_bytes()).keys
    except FileNotFoundError:
        return ()
    except (OSError, ValidationError) as error:
        raise ApiKeyError(
            f"{place} cannot be read: {error}; restore it, or remove it and add keys anew"
        ) from None


def add(home: Path, name: str, rate: float | None) -> str:
    """A new key, which is kept nowhere; raises ApiKeyError when the name is taken or cannot be one."""
    with _locked(home):
        known = read(home)
        if any(one.name == name for one in known):
            raise ApiKeyError(
                f"There is a key {name!r} already, and nobody can see it again; choose another name, or "
                f"first: esteira keys revoke {name}"
            )
        key = PREFIX + secrets.token_urlsafe(32)
        hashed = hashlib.sha256(key.encode()).hexdigest()
        try:
            new = ApiKey(name=name, sha256=hashed, rate=rate, created=datetime.now(UTC))
        except ValidationError as error:
            place, said = error.errors()[0]["loc"][0], error.errors()[0]["msg"]
            raise ApiKeyError(
                f"The {place} of this key cannot be used: {said}. A name is 1 to 64 letters, digits, "
                ". _ and -; a rate is a number above 0"
            ) from None
        _write(path(home), (*known, new))
    return key


def revoke(home: Path, name: str) -> None:
    """Have a key let nobody in any more; raises ApiKeyError when there is none of that name."""
    with _locked(home):
        known = read(home)
        left = tuple(one for one in known if one.name != name)
        if len(left) == len(known):
            names = ", ".join(one.name for one in known) or "none yet"
            raise ApiKeyError(f"There is no key {name!r}; there are: {names}")
        _write(path(home), left)


@contextmanager
def _locked(home: Path) -> Iterator[None]:
    """Alone with the file, so that of two commands at once neither loses what the other wrote."""
    folder = path(home).parent
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _write(place: Path, keys: tuple[ApiKey, ...]) -> None:
    """Replace the file whole; anybody may read it, as the container's user has to."""
    staged = place.with_name(f".{place.name}.new")
    with os.fdopen(os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644), "wb") as file:
        file.write(ApiKeys(keys=keys).model_dump_json(indent=2).encode())
        file.flush()
        os.fsync(file.fileno())
    staged.replace(place)
