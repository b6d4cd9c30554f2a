"""Who is to serve each case: one small file for each, replaced in one move."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from esteira.deploy.facts import Instances, Standing
from esteira.settings import Settings

log = logging.getLogger("esteira")


def read(settings: Settings, case: str) -> Standing | None:
    """Who is to serve a case; None where nobody is, or where the file cannot be understood."""
    file = path(settings, case)
    try:
        return Standing.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError:
        log.warning("%s is not what was written there; it is made anew from what runs", file)
        return None


def read_all(settings: Settings) -> Iterator[Standing]:
    """Every case's."""
    for file in sorted((settings.ESTEIRA_HOME / "api").glob("*.json")):
        if found := read(settings, file.stem):
            yield found


def idle(settings: Settings, instances: Instances) -> Instances:
    """Those of several instances that are not to serve their case: not, or not yet."""
    serving = {name for known in read_all(settings) for name in known.instances}
    return tuple(one for one in instances if one.id not in serving)


def write(settings: Settings, standing: Standing) -> None:
    """From here on these serve the case, whatever ends this process."""
    place = path(settings, standing.case)
    place.parent.mkdir(parents=True, exist_ok=True)
    staged = place.with_suffix(".json.new")
    with staged.open("w") as file:
        file.write(standing.model_dump_json(indent=2))
        file.flush()
        os.fsync(file.fileno())
    staged.replace(place)


def forget(settings: Settings, case: str) -> None:
    """Nobody is to serve the case any more."""
    path(settings, case).unlink(missing_ok=True)


def path(settings: Settings, case: str) -> Path:
    """Where it is written who is to serve a case."""
    return settings.ESTEIRA_HOME / "api" / f"{case}.json"
