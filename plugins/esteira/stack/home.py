"""The folder of everything that the services keep: databases, secrets, logs and process records."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from esteira.settings import Settings

USER = "admin"
Say = Callable[[str], None]


class Secrets(BaseModel):
    """What Airflow signs and encrypts with; made once, so that a login outlives a restart."""

    model_config = ConfigDict(frozen=True)

    fernet_key: str = Field(
        default_factory=lambda: base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(), repr=False
    )
    jwt_secret: str = Field(default_factory=lambda: secrets.token_urlsafe(64), repr=False)
    api_secret: str = Field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)


@dataclass(frozen=True)
class Home:
    """Where things are under ESTEIRA_HOME; nothing exists before `make` was called."""

    root: Path

    @classmethod
    def of(cls, settings: Settings) -> Home:
        return cls(settings.ESTEIRA_HOME.resolve())

    @property
    def airflow(self) -> Path:
        return self.root / "airflow"

    @property
    def mlflow(self) -> Path:
        return self.root / "mlflow"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def pids(self) -> Path:
        return self.root / "pids"

    @property
    def settings(self) -> Path:
        """The settings that the running services were started with."""
        return self.root / "settings.json"

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    @property
    def passwords(self) -> Path:
        return self.airflow / "passwords.json"

    def make(self) -> None:
        """Create the folders, which only their owner may enter."""
        for folder in (self.root, self.airflow, self.mlflow, self.logs, self.pids):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if folder.stat().st_uid == os.geteuid():  # another command may have made it, open to all
                folder.chmod(0o700)

    def secrets(self) -> Secrets:
        """The secrets, made at the first call; unreadable ones are made anew."""
        path = self.root / "secrets.json"
        try:
            return Secrets.model_validate_json(path.read_bytes())
        except (FileNotFoundError, ValidationError):
            made = Secrets()
            write_private(path, made.model_dump_json())
            return made

    def password(self) -> str | None:
        """The password of `admin`, or None before there is one."""
        try:
            return str(json.loads(self.passwords.read_text())[USER])
        except (FileNotFoundError, ValueError, LookupError, TypeError):
            return None

    def make_password(self) -> str:
        """The password of `admin`, made at the first call."""
        password = self.password() or secrets.token_urlsafe(12)
        write_private(self.passwords, json.dumps({USER: password}))
        return password


def write_private(path: Path, text: str) -> None:
    """Put a file in place, whole or not at all, that only its owner may read."""
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    new.touch(mode=0o600)
    new.write_text(text, encoding="utf-8")
    new.replace(path)


@contextmanager
def locked(home: Home, say: Say) -> Iterator[None]:
    """Hold the home's lock; while another command holds it, say so and wait."""
    home.make()
    with (home.root / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another esteira command is starting or stopping the services; waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
