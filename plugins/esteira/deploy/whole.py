"""A whole release in one process: every step that the DAG shows as a task."""

from __future__ import annotations

import logging
from collections.abc import Callable

from esteira.deploy import champion, release, trial
from esteira.deploy.facts import Release, Wanted
from esteira.deploy.lock import locked
from esteira.settings import Settings

log = logging.getLogger("esteira")

Say = Callable[[str], None]


def go_live(
    case: str, version: int | None, settings: Settings, wanted: Wanted | None = None, say: Say = log.info
) -> Release:
    """Take a version (by default the newest) live, with the trial that is wanted (by default the case's).

    Raises what the steps raise; then what was live still is.
    """
    with locked(settings, case):
        built = release.build(case, version, settings)
        say(built.sentence())
        started = release.start(built, settings)
        say(started.sentence())
        verified = release.ask_golden(started, settings)
        say(verified.sentence())
        tried = trial.try_out(verified, wanted, settings, say)
        went = release.switch(tried, settings)
        say(went.sentence())
        say(release.retire(went, settings).sentence())
    champion.try_to_follow(case, settings)
    return went
