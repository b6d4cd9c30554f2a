"""The API keys of a file: who may ask, and how often.

A key is 32 random bytes, so that its SHA-256 is as hard to turn back as the key is to guess; a slow hash,
which passwords need, would protect nothing more and cost each request. Looking a key up by its hash takes
a time that says nothing of the keys there are.
"""

from __future__ import annotations

import hashlib
import logging
import os
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from time import monotonic

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.settings import Settings, StartError

LONGEST_KEY = 200

log = logging.getLogger("app")


class Entry(BaseModel):
    """One key of the file, by the SHA-256 of it."""

    model_config = ConfigDict(frozen=True)

    name: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    rate: float | None = Field(None, gt=0)
    """Requests a second; None is without a limit."""


class Entries(BaseModel):
    """The file."""

    keys: list[Entry]


@dataclass
class Key:
    """A key with what is left of its rate: a bucket that fills with time, up to a second's worth."""

    entry: Entry
    left: float = field(init=False)
    at: float = field(default_factory=monotonic)

    def __post_init__(self) -> None:
        self.left = self.burst

    @property
    def burst(self) -> float:
        return max(1.0, self.entry.rate or 1.0)

    def take(self, now: float) -> float:
        """Take one request out of the bucket; 0, or in how many seconds there is one."""
        if self.entry.rate is None:
            return 0.0
        self.left = min(self.burst, self.left + (now - self.at) * self.entry.rate)
        self.at = now
        if self.left >= 1:
            self.left -= 1
            return 0.0
        return (1 - self.left) / self.entry.rate


class Keys:
    """The keys of a file, which is read again when it changes."""

    def __init__(self, path: Path) -> None:
        """Raises StartError when the file holds no key that can be used."""
        self._path = path
        self._by_hash: dict[str, Key] = {}
        try:
            self._seen: tuple[int, int, int] | None = _mark(path)
            self._take(_read(path))
        except (OSError, ValueError) as error:
            raise StartError(
                f"API_KEYS_FILE={path} cannot be used: {_why(error)}; make it with: esteira keys add NAME"
            ) from None
        if not self._by_hash:
            raise StartError(
                f"{path} holds no API key, so that nobody could ask; add one: esteira keys add NAME"
            )

    def find(self, sent: str) -> Key | None:
        """The key that was sent, if it is one."""
        if not sent or len(sent) > LONGEST_KEY:
            return None
        return self._by_hash.get(hashlib.sha256(sent.encode()).hexdigest())

    def refresh(self) -> None:
        """Read the file again if it changed: without it no key is known, a broken one changes nothing."""
        try:
            seen = _mark(self._path)
        except OSError:
            seen = None
        if seen == self._seen:
            return
        try:
            self._take(_read(self._path) if seen else Entries(keys=[]))
        except OSError as error:  # it is tried again until it can be read: a key in it may be revoked
            self._complain(error)
        except ValueError as error:
            self._seen = seen
            self._complain(error)
        else:
            self._seen = seen

    def _complain(self, error: Exception) -> None:
        log.error("%s cannot be used, the keys stay as they were: %s", self._path, _why(error))

    def _take(self, entries: Entries) -> None:
        """A key that is as it was keeps what is left of its rate."""
        old = self._by_hash
        self._by_hash = {
            entry.sha256: known
            if (known := old.get(entry.sha256)) is not None and known.entry == entry
            else Key(entry)
            for entry in entries.keys
        }
        log.info("API keys: %s", ", ".join(entry.name for entry in entries.keys) or "none is left")


def needed(told: Settings) -> Keys | None:
    """The keys to ask for; None where none are.

    Raises StartError where the address can be reached by others and nothing says who may ask.
    """
    if told.API_KEYS == "off":
        return None
    if told.API_KEYS_FILE is not None:
        return Keys(told.API_KEYS_FILE)
    if is_loopback(told.API_HOST):
        return None
    raise StartError(
        f"API_HOST={told.API_HOST} can be reached by others, and there are no API keys. Make one with "
        "`esteira keys add NAME` and set API_KEYS_FILE to the file that it names; or set API_KEYS=off where "
        "the port is published on 127.0.0.1 alone, or where what stands before the API checks its callers; "
        "or set API_HOST=127.0.0.1"
    )


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens there."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _read(path: Path) -> Entries:
    return Entries.model_validate_json(path.read_bytes())


def _mark(path: Path) -> tuple[int, int, int]:
    seen = os.stat(path)  # noqa: PTH116
    return seen.st_ino, seen.st_mtime_ns, seen.st_size


def _why(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False)[0]
        return f"{'.'.join(map(str, first['loc'])) or 'the file'}: {first['msg']}"
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)
