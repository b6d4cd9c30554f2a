"""The steps from a published version to the live API, whatever the target."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from esteira import bundle as bundles
from esteira import signing
from esteira.bundle import Bundle
from esteira.commit import git_commit
from esteira.deploy import marks, standing
from esteira.deploy.errors import DeployError, StaleBuildError
from esteira.deploy.facts import Build, Instances, Release, Retired, Standing, Started, Step, Verified
from esteira.deploy.journal import Attempt, record, releases, user
from esteira.deploy.limits import limits, limits_going_back
from esteira.deploy.live import Serving, as_live, placed, public_port, repair
from esteira.deploy.lock import locked
from esteira.deploy.probe import await_ready, check_golden
from esteira.deploy.target import TARGETS, Target, pick, remove, removed_on_failure
from esteira.settings import Settings

log = logging.getLogger("esteira")


def build(case: str, version: int | None, settings: Settings) -> Build:
    """Verify a version (by default the newest that is not withdrawn), its signature too, and make what it is
    started from.

    Raises SignatureError, KeyPairError or BundleError naming a file that is not what was published,
    WithdrawnError, PinnedError, ImageError, EngineError, LockedError.
    """
    version = marks.newest(settings, case) if version is None else version
    bundle = bundles.load(settings.ARTEFATOS_PATH, case, version)
    with locked(settings, case), Attempt("build", settings, case, version) as attempt:
        marks.read(settings, case).check(case, version)
        signing.verify(bundle, settings.ESTEIRA_HOME)
        bundle.verify()
        target, commit, sha = pick(settings), git_commit(), bundle.sha256
        repair(case, settings)
        image = target.prepare(bundle, commit, sha)
        return Build(
            case=case,
            version=version,
            target=target.name,
            image=image,
            title=bundle.metadata.title,
            bundle_sha256=sha,
            dataset_sha256=bundle.metadata.dataset.sha256,
            git_commit=commit,
            seconds=attempt.seconds,
        )


def start(build: Build, settings: Settings) -> Started:
    """Start a build beside what is live, out of the callers' reach, and wait until it is ready.

    Raises NotReadyError with the reason; then nothing is left of it, and what is live stays.
    """
    with _step("start", settings, build) as attempt:
        _unaltered(build, settings)
        target = TARGETS[build.target](settings)
        repair(build.case, settings)
        new = target.start(build, limits(settings, build.case).replicas)
        try:
            for instance in new:
                await_ready(instance, target.is_running, target.last_lines)
        except BaseException:
            remove(target, new)
            raise
        return Started(build=build, instances=new, seconds=attempt.seconds)


def ask_golden(started: Started, settings: Settings) -> Verified:
    """Have every started instance answer the golden examples as the training process did.

    Raises GoldenError with the example; then nothing is left of them, and what is live stays.
    """
    build = started.build
    with _step("golden", settings, build) as attempt:
        bundle = _unaltered(build, settings)
        target = TARGETS[build.target](settings)
        _still_there(target, started)
        try:
            counts = [check_golden(instance, bundle.metadata) for instance in started.instances]
        except BaseException:
            remove(target, started.instances)
            raise
        log.info("Version %d answered %d golden examples as in training", build.version, counts[0])
        return Verified(started=started, golden=counts[0], seconds=attempt.seconds)


def switch(verified: Verified, settings: Settings) -> Release:
    """Let a verified version have all requests; the old one serves until the new one does.

    Raises PinnedError, PortError, NotReadyError or EngineError with the reason; then the old one serves on,
    and nothing is left of the new one, unless the reason may pass. Killed midway, the next step that is run
    undoes it or makes up for its end.
    """
    started, build = verified.started, verified.started.build
    with _step("switch", settings, build) as attempt:
        target = TARGETS[build.target](settings)
        with removed_on_failure(target, started.instances, settings):
            _unaltered(build, settings)
            marks.read(settings, build.case).check(build.case, build.version)
            _still_there(target, started)
            old = repair(build.case, settings, sparing=[one.id for one in started.instances])
            new = take_over(target, build, started.instances, old, settings)
        spent = build.seconds + started.seconds + verified.seconds + attempt.seconds
        release = released(build, old, new, settings, spent)
        release = release.model_copy(update={"evidence": verified.evidence})
        record(settings.ARTEFATOS_PATH, release)
    log.info("%s version %d is live at %s", build.case, build.version, release.url)
    return release


def retire(release: Release, settings: Settings) -> Retired:
    """Let what served before finish what it began, stop it, and remove what is too old to go back to."""
    case = release.case
    with locked(settings, case), Attempt("retire", settings, case, release.version) as attempt:
        served = {name for line in releases(settings.ARTEFATOS_PATH, case) for name in line.instances}
        old = [
            (target, one)
            for target, one in placed(case, settings)
            if one.role == "trial" and one.id in served
        ]
        kept = [target.retire(instance) for target, instance in old]
        keep = limits_going_back(settings, case).keep
        for target in {pair[0].name: pair[0] for pair in placed(case, settings)}.values():
            target.prune(case, keep)
        version = release.from_version if old else None
        return Retired(version=version, kept=bool(kept) and all(kept), seconds=attempt.seconds)


def take_over(
    target: Target, build: Build, new: Instances, old: Serving | None, settings: Settings
) -> Instances:
    """Give a version all requests of its case: on any failure the old one has them again."""
    ended, before = False, standing.read(settings, build.case)
    live: Instances = ()
    try:
        port = public_port(build.case, settings)
        if old is not None and _must_end_first(target, old, port):
            ended = True
            _halt(old)
            old.target.free_port()
        live = target.take_over(new, port)
        _commit(target, build, live, port, settings)
    except BaseException as error:
        try:
            _as_before(before, old, build.case, settings, error, ended=ended)
        finally:
            remove(target, tuple(one for one in live if one.id not in {tried.id for tried in new}))
        raise
    if old is not None and not old.target.shares_traffic and not ended:
        _halt(old)
    return live


def released(
    build: Build, old: Serving | None, new: Instances, settings: Settings, seconds: float
) -> Release:
    """The journal's line for a version that went live."""
    known = standing.read(settings, build.case)
    assert known is not None
    return Release(
        when=datetime.now(UTC),
        case=build.case,
        version=build.version,
        from_version=old.standing.version if old else None,
        target=build.target,
        image=build.image,
        instances=tuple(one.id for one in new),
        url=as_live(known).url,
        by=user(),
        dataset_sha256=build.dataset_sha256,
        git_commit=build.git_commit,
        outcome="live",
        step="switch",
        seconds=round(seconds, 3),
    )


@contextmanager
def _step(step: Step, settings: Settings, build: Build) -> Iterator[Attempt]:
    with locked(settings, build.case), Attempt(step, settings, build.case, build.version, build) as attempt:
        yield attempt


def _commit(target: Target, build: Build, live: Instances, port: int, settings: Settings) -> None:
    names = tuple(one.id for one in live)
    standing.write(
        settings,
        Standing(
            case=build.case,
            title=build.title,
            version=build.version,
            target=target.name,
            instances=names,
            port=port,
        ),
    )
    target.route()


def _must_end_first(target: Target, old: Serving, port: int) -> bool:
    """Instances of one target can share a port; a process and the gateway cannot."""
    return old.target.name != target.name and old.standing.port == port


def _halt(old: Serving) -> None:
    for instance in old.instances:
        old.target.retire(instance)


def _as_before(
    before: Standing | None,
    old: Serving | None,
    case: str,
    settings: Settings,
    reason: BaseException,
    *,
    ended: bool,
) -> None:
    """What serves from where it cannot be reached now is no `old`, and is not forgotten either."""
    if old is not None:
        _bring_back(old, settings, reason, ended=ended)
    elif before is None:
        standing.forget(settings, case)
    elif standing.read(settings, case) != before:
        standing.write(settings, before)


def _bring_back(old: Serving, settings: Settings, reason: BaseException, *, ended: bool) -> None:
    if standing.read(settings, old.standing.case) != old.standing:
        standing.write(settings, old.standing)
    try:
        old.target.route()
        for instance in old.instances if ended else ():
            again = old.target.revive(instance)
            await_ready(again, old.target.is_running, old.target.last_lines)
    except DeployError as error:
        raise DeployError(
            f"{reason}\nAnd version {old.standing.version} could not be brought back: {error}\n"
            "Repeat the release; its first step tries again"
        ) from reason
    log.warning("Version %d of %s serves on", old.standing.version, old.standing.case)


def _still_there(target: Target, started: Started) -> None:
    for instance in started.instances:
        if not target.is_running(instance):
            raise StaleBuildError(
                f"The {instance} has ended, or another release of {instance.case!r} was begun meanwhile; "
                f"release version {instance.version} again. Its last lines:\n"
                f"{target.last_lines(instance) or '(there are none)'}"
            )


def _unaltered(build: Build, settings: Settings) -> Bundle:
    bundle = bundles.load(settings.ARTEFATOS_PATH, build.case, build.version)
    bundle.verify()
    if bundle.sha256 != build.bundle_sha256:
        raise StaleBuildError(
            f"{bundle.metadata_path} is not the file that version {build.version} was built from; "
            "restore it and build again"
        )
    return bundle
