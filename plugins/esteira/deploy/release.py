"""The three steps from a published version to the live API, whatever the target."""

from __future__ import annotations

import hashlib
import logging
from datetime import UTC, datetime

from esteira import bundle as bundles
from esteira.bundle import Bundle
from esteira.commit import git_commit
from esteira.deploy.errors import DeployError, StaleBuildError
from esteira.deploy.facts import Build, Instance, Release, Started
from esteira.deploy.journal import Attempt, record, user
from esteira.deploy.live import Placed, public_port, repair
from esteira.deploy.lock import locked
from esteira.deploy.probe import await_ready, check_golden, serves
from esteira.deploy.target import TARGETS, Target, pick
from esteira.settings import Settings

log = logging.getLogger("esteira")


def build(case: str, version: int | None, settings: Settings) -> Build:
    """Verify a version (by default the newest) and make what it is started from.

    Raises BundleError naming a file that is not what was published, ImageError, EngineError, LockedError.
    """
    bundle = bundles.load(settings.ARTEFATOS_PATH, case, version)
    with locked(settings, case), Attempt("build", settings, case, bundle.version, None) as attempt:
        bundle.verify()
        target, commit, sha = pick(settings), git_commit(), _sha256(bundle)
        repair(case, settings)
        image = target.prepare(bundle, commit, sha)
        return Build(
            case=case,
            version=bundle.version,
            target=target.name,
            image=image,
            bundle_sha256=sha,
            dataset_sha256=bundle.metadata.dataset.sha256,
            git_commit=commit,
            seconds=attempt.seconds,
        )


def start_and_verify(build: Build, settings: Settings) -> Started:
    """Start a build beside what is live and have it answer every golden example over HTTP.

    Raises NotReadyError or GoldenError with the reason; then the trial is gone, and what is live stays.
    """
    with (
        locked(settings, build.case),
        Attempt("start", settings, build.case, build.version, build) as attempt,
    ):
        bundle = _unaltered(build, settings)
        target = TARGETS[build.target](settings)
        repair(build.case, settings)
        trial = target.start_trial(build)
        try:
            await_ready(trial, target.is_running, target.last_lines)
            count = check_golden(trial.url, bundle.metadata)
        except BaseException:
            target.remove(trial)
            raise
        log.info("The %s answered %d golden examples as in training", trial, count)
        return Started(build=build, trial=trial, golden=count, seconds=attempt.seconds)


def switch(started: Started, settings: Settings) -> Release:
    """Let a verified build take over the public port; the old one serves until the new one answers there.

    Raises PortError, NotReadyError or EngineError with the reason; then the old one serves on.
    Killed midway, the next step that is run undoes it.
    """
    build = started.build
    with (
        locked(settings, build.case),
        Attempt("switch", settings, build.case, build.version, build) as attempt,
    ):
        _unaltered(build, settings)
        target = TARGETS[build.target](settings)
        old = repair(build.case, settings)
        new = _take_over(target, build, old, public_port(build.case, settings))
        release = _release(build, old, new, build.seconds + started.seconds + attempt.seconds)
        record(settings.ARTEFATOS_PATH, release)
    target.prune(build.case)
    log.info("%s version %d is live at %s", build.case, build.version, new.url)
    return release


def _take_over(target: Target, build: Build, old: Placed | None, port: int) -> Instance:
    try:
        if old is not None and _must_end_first(target, old, port):
            old[0].halt(old[1])
        new = _started_live(target, build, port)
    except BaseException as error:
        if old is not None:
            _bring_back(*old, error)
        raise
    target.confirm(new)
    if old is not None:
        old[0].remove(old[1])
    return new


def _must_end_first(target: Target, old: Placed, port: int) -> bool:
    """Instances of one target can share a port; a process and a container cannot."""
    return old[0].name != target.name and old[1].port == port


def _started_live(target: Target, build: Build, port: int) -> Instance:
    new = target.start_live(build, port)
    try:
        await_ready(new, target.is_running, target.last_lines)
    except BaseException:
        target.remove(new)
        raise
    return new


def _bring_back(target: Target, old: Instance, reason: BaseException) -> None:
    if serves(old):
        log.warning("The %s serves on", old)
        return
    try:
        old = target.start_again(old)
        await_ready(old, target.is_running, target.last_lines)
    except DeployError as error:
        raise DeployError(
            f"{reason}\nAnd the {old} could not be brought back: {error}\n"
            "Repeat the release; its first step tries again"
        ) from reason
    log.warning("The %s serves again", old)


def _unaltered(build: Build, settings: Settings) -> Bundle:
    bundle = bundles.load(settings.ARTEFATOS_PATH, build.case, build.version)
    bundle.verify()
    if _sha256(bundle) != build.bundle_sha256:
        raise StaleBuildError(
            f"{bundle.metadata_path} is not the file that version {build.version} was built from; "
            "restore it and build again"
        )
    return bundle


def _sha256(bundle: Bundle) -> str:
    return hashlib.sha256(bundle.metadata_path.read_bytes()).hexdigest()


def _release(build: Build, old: Placed | None, new: Instance, seconds: float) -> Release:
    return Release(
        when=datetime.now(UTC),
        case=build.case,
        version=build.version,
        from_version=old[1].version if old else None,
        target=build.target,
        image=build.image,
        instance=new.id,
        url=new.url,
        by=user(),
        dataset_sha256=build.dataset_sha256,
        git_commit=build.git_commit,
        outcome="live",
        step="switch",
        seconds=round(seconds, 3),
    )
