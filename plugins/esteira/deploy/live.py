"""What is live: finds it, puts right what a killed release left behind, and ends it."""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

from esteira import bundle as bundles
from esteira.deploy import journal, standing
from esteira.deploy import port as ports
from esteira.deploy.errors import DeployError, EngineError, PortError
from esteira.deploy.facts import Instance, Instances, Live, Release, Standing
from esteira.deploy.lock import locked
from esteira.deploy.probe import await_ready
from esteira.deploy.target import Target, pick, usable
from esteira.settings import DEFAULT_CASE, Settings

_AGAIN_SECONDS = 15.0

log = logging.getLogger("esteira")

Placed = tuple[Target, Instance]


@dataclass(frozen=True)
class Serving:
    """The instances that are to serve a case, on their target."""

    target: Target
    instances: Instances
    standing: Standing


def live(case: str, settings: Settings) -> Live | None:
    """What serves a case now, or None."""
    known = standing.read(settings, case)
    running = [one for _, one in placed(case, settings) if one.role == "live" and one.running]
    return as_live(known) if known and running else None


def as_live(known: Standing) -> Live:
    """A standing and where callers find it."""
    url = f"http://127.0.0.1:{known.port}"
    if known.target == "docker" and known.case != DEFAULT_CASE:
        url += f"/{known.case}"
    return Live(
        case=known.case, version=known.version, target=known.target, instances=known.instances, url=url
    )


def stop(case: str | None, settings: Settings) -> tuple[Live, ...]:
    """End what is live, on trial or kept of a case (None: of every case) of this home; what was live.

    Raises EngineError, once the others are ended, for what is served where it cannot be reached from here:
    it is not forgotten.
    """
    cases = {case} if case else {instance.case for _, instance in placed(None, settings)}
    cases |= set() if case else {known.case for known in standing.read_all(settings)}
    stopped: list[Live] = []
    unreached: list[Standing] = []
    for name in sorted(cases):
        with locked(settings, name):
            known = standing.read(settings, name)
            if known and known.target not in usable(settings):
                unreached.append(known)
                continue
            was = live(name, settings)
            everything = placed(name, settings)
            standing.forget(settings, name)
            _route(settings)
            for target, instance in everything:
                target.remove(instance)
            stopped += [was] if was else []
    if unreached:
        raise EngineError(_out_of_reach(unreached, settings))
    return tuple(stopped)


def resume(settings: Settings) -> tuple[Live, ...]:
    """Start again what was live and is not running, as after a restart of the machine; what is live then."""
    cases = sorted(known.case for known in standing.read_all(settings))
    for case in cases:
        with locked(settings, case):
            repair(case, settings)
    now = [live(case, settings) for case in cases]
    return tuple(one for one in now if one is not None)


def public_port(case: str, settings: Settings) -> int:
    """Where a case goes live. Raises PortError, saying who is there, when somebody else holds the port."""
    ours = [instance for _, instance in placed(None, settings)]
    if pick(settings).shares_traffic:
        alone = all(one.case == case for one in ours if one.target == "process" and one.running)
        held = any(one.port == settings.API_PORT and one.running for one in ours)
        if not (held and alone) and not _gateway_there(settings) and not ports.is_free(settings.API_PORT):
            raise PortError(ports.taken(settings.API_PORT))
        return settings.API_PORT
    return ports.public(settings.API_PORT, case, ours)


def placed(case: str | None, settings: Settings) -> list[Placed]:
    """Every instance of a case with its target: those that run first, the oldest first among them."""
    found = [
        (target, instance) for target in usable(settings).values() for instance in target.instances(case)
    ]
    return sorted(found, key=lambda pair: (not pair[1].running, pair[1].created))


def repair(case: str, settings: Settings, sparing: Collection[str] = ()) -> Serving | None:
    """Bring a case back to what is to serve it, and nothing on trial but `sparing`; None where nothing is.

    A release that was killed before its end is undone, or its end made up for: what is to serve is started
    again where it ended, requests go there alone, and what served before is stopped. When none can serve,
    they stay as they are: what hinders them may pass, and the next release takes their place.
    """
    known = _without_trial(case, settings, sparing)
    if known:
        _written_down(known, settings)
    serving = _revived(known, settings) if known else None
    _route(settings)
    if serving:
        serving.target.end_trial(case)
    served = {name for one in journal.releases(settings.ARTEFATOS_PATH, case) for name in one.instances}
    for target, instance in placed(case, settings):
        if instance.role == "trial" and instance.id not in sparing:
            target.retire(instance) if instance.id in served else target.remove(instance)
    return serving


def _without_trial(case: str, settings: Settings, sparing: Collection[str]) -> Standing | None:
    known = standing.read(settings, case) or _recalled(case, settings)
    if known and known.trial and not set(known.trial) <= set(sparing):
        known = known.model_copy(update={"trial": (), "percent": 0})
        standing.write(settings, known)
    return known


def _written_down(known: Standing, settings: Settings) -> None:
    """Have the journal say what went live, where the release was killed before it said so."""
    went = [one for one in journal.releases(settings.ARTEFATOS_PATH, known.case) if one.outcome == "live"]
    if any(set(known.instances) <= set(line.instances) for line in went):
        return
    line = Release(
        when=datetime.now(UTC),
        case=known.case,
        version=known.version,
        from_version=went[-1].version if went else None,
        target=known.target,
        instances=known.instances,
        url=as_live(known).url,
        by=journal.user(),
        outcome="live",
        step="switch",
        reason="its release was ended before it could say so",
    )
    journal.record(settings.ARTEFATOS_PATH, line)


def _recalled(case: str, settings: Settings) -> Standing | None:
    """What went live last, if it runs though nothing says that it is to: the file was lost."""
    went = [line for line in journal.releases(settings.ARTEFATOS_PATH, case) if line.outcome == "live"]
    running = [one for _, one in placed(case, settings) if went and one.id in went[-1].instances]
    if not running:
        return None
    found = Standing(
        case=case,
        title=bundles.load(settings.ARTEFATOS_PATH, case, running[0].version).metadata.title,
        version=running[0].version,
        target=running[0].target,
        instances=went[-1].instances,
        port=running[0].port or settings.API_PORT,
    )
    standing.write(settings, found)
    return found


def _revived(known: Standing, settings: Settings) -> Serving | None:
    target = usable(settings).get(known.target)
    if target is None:
        return None
    found = [one for one in target.instances(known.case) if one.id in known.instances]
    if not found:
        log.warning("Nothing is left of version %d of %s, which was to serve", known.version, known.case)
        standing.forget(settings, known.case)
        return None
    return Serving(target, tuple(_again(target, one) for one in found), known)


def _again(target: Target, instance: Instance) -> Instance:
    """The instance, serving; ended where it cannot, to be tried again by the next step."""
    if instance.running and _can_serve(target, instance):
        return instance
    try:
        again = target.revive(instance)
    except DeployError as error:
        log.warning("The %s cannot be started: %s", instance, error)
        return instance
    if not _can_serve(target, again):
        target.retire(again)
    return again


def _can_serve(target: Target, instance: Instance) -> bool:
    try:
        await_ready(instance, target.is_running, target.last_lines, seconds=_AGAIN_SECONDS)
    except DeployError as error:
        log.warning("The %s does not serve: %s", instance, error)
        return False
    return True


def _out_of_reach(unreached: list[Standing], settings: Settings) -> str:
    versions = ", ".join(f"version {one.version} of {one.case!r}" for one in unreached)
    files = ", ".join(str(standing.path(settings, one.case)) for one in unreached)
    return (
        f"No Docker engine answers here, and {versions} may be served from its containers: start it, or let "
        f"this user reach its socket (DOCKER_HOST), and repeat this. If the engine is gone for good, "
        f"remove {files}"
    )


def _route(settings: Settings) -> None:
    for target in usable(settings).values():
        target.route()


def _gateway_there(settings: Settings) -> bool:
    return any(known.target == "docker" for known in standing.read_all(settings))
