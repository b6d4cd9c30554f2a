"""Who is to serve each case: one small file for each, replaced in one move."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from esteira.deploy.facts import Standing
from esteira.settings import Settings

log = logging.getLogger("esteira")


def read(settings: Settings, case: str) -> Standing | None:
    """Who is to serve a case; None where nobody is, or where the file cannot be understood."""
    path = _path(settings, case)
    try:
        return Standing.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError:
        log.warning("%s is not what was written there; it is made anew from what runs", path)
        return None


def read_all(settings: Settings) -> Iterator[Standing]:
    """Every case's."""
    for path in sorted((settings.ESTEIRA_HOME / "api").glob("*.json")):
        if found := read(settings, path.stem):
            yield found


def write(settings: Settings, standing: Standing) -> None:
    """From here on these serve the case, whatever ends this process."""
    path = _path(settings, standing.case)
    path.parent.mkdir(parents=True, exist_ok=True)
    staged = path.with_suffix(".json.new")
    with staged.open("w") as file:
        file.write(standing.model_dump_json(indent=2))
        file.flush()
        os.fsync(file.fileno())
    staged.replace(path)


def forget(settings: Settings, case: str) -> None:
    """Nobody is to serve the case any more."""
    _path(settings, case).unlink(missing_ok=True)


def _path(settings: Settings, case: str) -> Path:
    return settings.ESTEIRA_HOME / "api" / f"{case}.json"
