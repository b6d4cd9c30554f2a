"""Tries a verified version out on live traffic: on copies of requests, then on a share of them."""

from __future__ import annotations

import logging
from collections.abc import Callable

from esteira import bundle as bundles
from esteira.case import Release as Limits
from esteira.deploy import marks, standing
from esteira.deploy.ask import asker
from esteira.deploy.bake import bake
from esteira.deploy.container import DockerTarget
from esteira.deploy.errors import CanaryError
from esteira.deploy.evidence import Comparison, Evidence
from esteira.deploy.facts import Instance, Standing, Verified, Wanted
from esteira.deploy.gateway.folders import Folders
from esteira.deploy.journal import Attempt
from esteira.deploy.limits import limits
from esteira.deploy.live import Serving, repair
from esteira.deploy.lock import locked
from esteira.deploy.shadow import shadow
from esteira.deploy.target import TARGETS, removed_on_failure
from esteira.deploy.traffic import Traffic
from esteira.settings import Settings

log = logging.getLogger("esteira")

Say = Callable[[str], None]


def try_out(verified: Verified, wanted: Wanted | None, settings: Settings, say: Say = log.info) -> Verified:
    """Copy requests to a version, give it a share of them, and watch; the version with what was seen.

    With neither asked for, nothing live to compare with, or only the case's own words where the target cannot
    share traffic, it is returned as it is. Raises CanaryError where the target cannot and it is `wanted`, and
    BreachError, with the evidence, when the version is worse than the case's limits: then the old one has all
    requests again. After any error that does not pass nothing is left of the new one.
    """
    started, build = verified.started, verified.started.build
    words = _words(limits(settings, build.case), wanted)
    if not words.canary and not words.shadow:
        say("neither a canary nor a shadow is asked for")
        return verified
    with locked(settings, build.case), Attempt("canary", settings, build.case, build.version, build):
        target = TARGETS[build.target](settings)
        with removed_on_failure(target, started.instances, settings):
            if not isinstance(target, DockerTarget):
                return _untried(verified, wanted, say)
            marks.read(settings, build.case).check(build.case, build.version)
            new = [one for one in target.instances(build.case) if one.id in _ids(verified)]
            old = repair(build.case, settings, sparing=_ids(verified))
            if old is None or old.target.name != target.name:
                say("nothing to compare with serves in a container: no canary")
                return verified
            return _Trial(settings, target, words, old, new, say).run(verified)


def _untried(verified: Verified, wanted: Wanted | None, say: Say) -> Verified:
    if wanted and (wanted.canary or wanted.shadow):
        raise CanaryError(
            "A canary and a shadow need the gateway, so containers: start a Docker engine (or set "
            "DEPLOY_TARGET=docker), or release without those that were asked for"
        )
    log.warning(
        "The canary and the shadow that the file of %r asks for are left out: they need containers",
        verified.started.build.case,
    )
    say("without containers no canary and no shadow")
    return verified


class _Trial:
    """One version beside another."""

    def __init__(
        self,
        settings: Settings,
        target: DockerTarget,
        words: Limits,
        old: Serving,
        new: list[Instance],
        say: Say,
    ) -> None:
        self._settings, self._target, self._words, self._say = settings, target, words, say
        self._old, self._new = old, new

    def run(self, verified: Verified) -> Verified:
        build = verified.started.build
        try:
            with Traffic(Folders.of(self._settings).admin) as traffic:
                compared = self._shadowed(traffic, build.version) if self._words.shadow else None
                watched = self._baked(traffic) if self._words.canary else None
        except BaseException:
            self._end()
            raise
        seen = [fact for fact in (compared, watched) if fact is not None]
        self._say("; ".join(fact.sentence() for fact in seen))
        evidence = {type(fact).__name__.lower(): fact.model_dump(mode="json") for fact in seen}
        return verified.model_copy(update={"evidence": evidence})

    def _shadowed(self, traffic: Traffic, version: int) -> Comparison:
        case, folders, words = self._old.standing.case, Folders.of(self._settings), self._words
        metadata = bundles.load(self._settings.ARTEFATOS_PATH, case, version).metadata
        old, new = (folders.socket(one.id) for one in (self._old.instances[0], self._new[0]))
        with asker(old) as ask_old, asker(new) as ask_new:
            return shadow(
                traffic,
                case,
                ask_old,
                ask_new,
                words.shadow,
                words.shadow_seconds,
                self._target.gateway.copy,
                self._say,
                agrees=metadata.agrees,
                agreement=words.agreement,
                errors=words.errors,
            )

    def _baked(self, traffic: Traffic) -> Evidence:
        known = self._old.standing
        names = tuple(one.id for one in self._new)
        self._route(known.model_copy(update={"trial": names, "percent": self._words.canary}))
        return bake(
            traffic,
            known.case,
            frozenset(known.instances),
            frozenset(names),
            self._words,
            self._words.bake,
            self._say,
            alive=self._ended,
        )

    def _route(self, wanted: Standing) -> None:
        standing.write(self._settings, wanted)
        self._target.route()

    def _end(self) -> None:
        """The old version has all requests again, even where there is no room to write that down."""
        try:
            self._route(self._old.standing)
        finally:
            for instance in self._new:
                self._target.remove(instance)

    def _ended(self) -> str | None:
        """Why the new version cannot go on, if it has ended."""
        for instance in self._new:
            if not self._target.is_running(instance):
                return f"the {instance} ended:\n{self._target.last_lines(instance)}"
        return None


def _ids(verified: Verified) -> list[str]:
    return [one.id for one in verified.started.instances]


def _words(said: Limits, wanted: Wanted | None) -> Limits:
    """The case's words, with those in their place that are wanted for once."""
    given = wanted.model_dump(exclude_none=True) if wanted else {}
    return said.model_copy(update=given)
