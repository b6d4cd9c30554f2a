"""How a case wants to be released: what its file says under `release`."""

from __future__ import annotations

import logging

from esteira import case as cases
from esteira import casefile
from esteira.casefile import CaseError
from esteira.settings import Settings

log = logging.getLogger("esteira")


def limits(settings: Settings, case: str) -> cases.Release:
    """The case's words; the usual ones where its file is gone, though versions of it are not.

    Raises CaseError where the file has faults.
    """
    if case not in casefile.names(settings.CASOS_PATH):
        return cases.Release()
    return casefile.load(settings.CASOS_PATH, case).release


def limits_going_back(settings: Settings, case: str) -> cases.Release:
    """As `limits`, and the usual ones where the file has faults: going back does not wait for it."""
    try:
        return limits(settings, case)
    except CaseError as error:
        log.warning("The usual replicas and number of kept versions are taken: %s", error)
        return cases.Release()
