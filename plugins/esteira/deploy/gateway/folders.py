"""The two folders that the gateway shares: with the deployer, and with the containers behind it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from esteira.settings import Settings

ADMIN_INSIDE, API_INSIDE = PurePosixPath("/run/esteira/admin"), PurePosixPath("/run/esteira/api")
"""Where they are inside of containers."""


@dataclass(frozen=True)
class Folders:
    """`admin` holds what the gateway is told and its own sockets, `api` those of the containers behind it."""

    root: Path

    @classmethod
    def of(cls, settings: Settings) -> Folders:
        return cls(settings.ESTEIRA_HOME.resolve() / "gateway")

    @property
    def admin(self) -> Path:
        return self.root / "admin"

    @property
    def api(self) -> Path:
        return self.root / "api"

    def make(self) -> None:
        """Folders that any container may write to, inside one that only its owner may enter."""
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in (self.admin, self.api):
            if not folder.is_dir():
                folder.mkdir(exist_ok=True)
                folder.chmod(0o777)

    def socket(self, instance: str) -> Path:
        return self.api / f"{instance}.sock"


def socket_inside(instance: str) -> str:
    """The same socket as the containers see it."""
    return str(API_INSIDE / f"{instance}.sock")


@contextmanager
def reachable(socket: Path) -> Iterator[str]:
    """The path of a Unix socket in so few characters that it can be connected to, wherever its folder is."""
    folder = os.open(socket.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{socket.name}"
    finally:
        os.close(folder)
