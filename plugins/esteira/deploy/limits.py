"""How a case wants to be released: what its file says under `release`."""

from __future__ import annotations

from esteira import case as cases
from esteira import casefile
from esteira.settings import Settings


def limits(settings: Settings, case: str) -> cases.Release:
    """The case's words; the usual ones where its file is gone, though versions of it are not."""
    if case not in casefile.names(settings.CASOS_PATH):
        return cases.Release()
    return casefile.load(settings.CASOS_PATH, case).release
