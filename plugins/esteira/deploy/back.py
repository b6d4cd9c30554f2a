"""Goes back to an earlier version: with what was kept of it, or from its image."""

from __future__ import annotations

import logging

from esteira import bundle as bundles
from esteira import signing
from esteira.deploy import journal, marks, standing
from esteira.deploy.facts import Build, Instances, Release
from esteira.deploy.journal import Attempt
from esteira.deploy.limits import limits_going_back
from esteira.deploy.live import repair
from esteira.deploy.lock import locked
from esteira.deploy.probe import await_ready, check_golden
from esteira.deploy.release import released, take_over
from esteira.deploy.target import Target, pick
from esteira.settings import Settings

log = logging.getLogger("esteira")


def roll_back(case: str, version: int | None, settings: Settings) -> Release:
    """Put an earlier version (by default the one that served before) live, at once and without a canary.

    It needs neither Airflow nor MLflow. Raises NoWayBackError, WithdrawnError, PinnedError, BundleError, or
    what a release raises; then what was live still is.
    """
    with locked(settings, case), Attempt("start", settings, case, version) as attempt:
        attempt.back = True
        version = attempt.version = marks.previous(settings, case) if version is None else version
        marks.read(settings, case).check(case, version)
        bundle = bundles.load(settings.ARTEFATOS_PATH, case, version)
        old = repair(case, settings)
        target = pick(settings)
        build, new = _kept(target, bundle, settings) or _anew(target, bundle, settings)
        attempt.build = build
        try:
            for instance in new:
                await_ready(instance, target.is_running, target.last_lines)
                check_golden(instance, bundle.metadata)
            live = take_over(target, build, new, old, settings)
        except BaseException:
            for instance in standing.idle(settings, new):
                target.retire(instance)
            raise
        line = released(build, old, live, settings, attempt.seconds)
        line = line.model_copy(update={"back": True})
        journal.record(settings.ARTEFATOS_PATH, line)
    log.info("%s is back at version %d, at %s", case, version, line.url)
    return line


def _kept(target: Target, bundle: bundles.Bundle, settings: Settings) -> tuple[Build, Instances] | None:
    """The instances that served the version last, started again."""
    kept = {
        one.id: one
        for one in target.instances(bundle.metadata.case)
        if one.role == "kept" and one.version == bundle.version
    }
    for line in reversed(journal.releases(settings.ARTEFATOS_PATH, bundle.metadata.case)):
        if line.outcome == "live" and line.instances and set(line.instances) <= kept.keys():
            revived = tuple(target.revive(kept[name]) for name in line.instances)
            return _build(target, bundle, line), revived
    return None


def _anew(target: Target, bundle: bundles.Bundle, settings: Settings) -> tuple[Build, Instances]:
    signing.verify(bundle, settings.ESTEIRA_HOME)
    bundle.verify()
    build = _build(target, bundle, None)
    return build, target.start(build, limits_going_back(settings, build.case).replicas)


def _build(target: Target, bundle: bundles.Bundle, line: Release | None) -> Build:
    facts = bundle.metadata
    sha = bundle.sha256
    image = line.image if line else target.prepare(bundle, facts.git_commit, sha)
    return Build(
        case=facts.case,
        version=facts.version,
        target=target.name,
        image=image,
        title=facts.title,
        bundle_sha256=sha,
        dataset_sha256=facts.dataset.sha256,
        git_commit=line.git_commit if line else facts.git_commit,
        seconds=0.0,
    )
