"""Which versions of a case somebody withdrew, by the journal of its releases."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any


def withdrawn(artefatos: Path, case: str) -> frozenset[int]:
    """The versions whose last word in `<artefatos>/<case>/releases.jsonl` is that they are withdrawn."""
    found: set[int] = set()
    for line in _lines(artefatos / case / "releases.jsonl"):
        if line.get("outcome") == "withdrawn":
            found.add(line["version"])
        elif line.get("outcome") == "restored":
            found.discard(line["version"])
    return frozenset(found)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    """What can be read of the journal; a line torn by a crash is passed over."""
    for line in path.read_bytes().splitlines() if path.is_file() else ():
        with suppress(ValueError):
            yield json.loads(line)
