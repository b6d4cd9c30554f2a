"""Where one training keeps what passes between its steps; gone when its version is published."""

import hashlib
import shutil
import time
from pathlib import Path

from esteira.errors import EsteiraError
from esteira.settings import Settings

_STALE_SECONDS = 2 * 24 * 3600


class WorkspaceGoneError(EsteiraError):
    """What the earlier steps of a training left for the later ones is no longer there."""


def folder(settings: Settings, case: str, training_id: str) -> Path:
    """The folder of a training: the same for the same id, whichever process asks."""
    key = hashlib.sha256(training_id.encode()).hexdigest()[:16]
    return settings.ESTEIRA_HOME / "work" / case / key


def start(settings: Settings, case: str, training_id: str) -> Path:
    """An empty folder for a training; those that nobody ended in two days are removed."""
    mine = folder(settings, case, training_id)
    for other in mine.parent.glob("*"):
        if other == mine or time.time() - other.stat().st_mtime > _STALE_SECONDS:
            shutil.rmtree(other, ignore_errors=True)
    mine.mkdir(parents=True)
    return mine


def check(folder: Path) -> None:
    """Raise WorkspaceGoneError when a training's folder is not there any more."""
    if not folder.is_dir():
        raise WorkspaceGoneError(
            f"{folder} is gone: this training was published, or stopped more than two days ago. Run the DAG "
            f"treina_salva_modelo again from its first step"
        )


def end(settings: Settings, case: str, training_id: str) -> None:
    shutil.rmtree(folder(settings, case, training_id), ignore_errors=True)
