"""What is live: finds it, puts right what a killed release left behind, and ends it."""

from __future__ import annotations

import logging
from collections.abc import Callable

from esteira.deploy import port as ports
from esteira.deploy.errors import DeployError
from esteira.deploy.facts import Instance, Live
from esteira.deploy.lock import locked
from esteira.deploy.probe import await_ready, serves
from esteira.deploy.target import Target, usable
from esteira.settings import Settings

_AGAIN_SECONDS = 15.0

log = logging.getLogger("esteira")

Placed = tuple[Target, Instance]


def live(case: str, settings: Settings) -> Live | None:
    """What serves a case now, or None."""
    running = [instance for _, instance in placed(case, settings) if _serves(instance)]
    return _as_live(running[0]) if running else None


def stop(case: str | None, settings: Settings) -> tuple[Live, ...]:
    """End what is live or on trial of a case (None: of every case) of this home; what was live."""
    cases = {case} if case else {instance.case for _, instance in placed(None, settings)}
    stopped: list[Live] = []
    for name in sorted(cases):
        with locked(settings, name):
            for target, instance in placed(name, settings):
                target.remove(instance)
                stopped += [_as_live(instance)] if _serves(instance) else []
    for target in usable(settings).values():
        target.tidy(case)
    return tuple(stopped)


def resume(settings: Settings) -> tuple[Live, ...]:
    """Start again what was live and is not running, as after a restart of the machine; what is live then."""
    found = [instance.case for _, instance in placed(None, settings)]
    for case in sorted(set(found)):
        with locked(settings, case):
            repair(case, settings)
    now = [live(case, settings) for case in sorted(set(found))]
    return tuple(one for one in now if one is not None)


def public_port(case: str, settings: Settings) -> int:
    """Where a case goes live. Raises PortError, saying who is there, when somebody else holds the port."""
    return ports.public(settings.API_PORT, case, [instance for _, instance in placed(None, settings)])


def placed(case: str | None, settings: Settings) -> list[Placed]:
    """Every instance of a case with its target: those that run first, the oldest first among them."""
    found = [
        (target, instance) for target in usable(settings).values() for instance in target.instances(case)
    ]
    return sorted(found, key=lambda pair: (not pair[1].running, pair[1].created))


def repair(case: str, settings: Settings) -> Placed | None:
    """Bring a case back to one live instance and no trial; it is returned, None where there is none.

    A release that was killed before its end is undone: of several live instances the oldest that can
    serve stays. One that was halted, or ended by itself, is started again. When none can serve, the
    newest stays as it is: what hinders it may pass, and the next release takes its place.
    """
    everything = placed(case, settings)
    for target, instance in everything:
        if instance.role == "trial":
            target.remove(instance)
    for target in usable(settings).values():
        target.tidy(case)
    lives = _lives(everything)
    if len(lives) == 1 and serves(lives[0][1]):
        return lives[0]
    kept = _first(_that_serves, lives) or _first(_brought_back, lives)
    if kept is None:
        lives = _lives(placed(case, settings))
        kept = max(lives, key=lambda pair: pair[1].created, default=None)
    for target, instance in lives:
        if kept is None or instance.handle != kept[1].handle:
            target.remove(instance)
    if kept is not None:
        kept[0].confirm(kept[1])
    return kept


def _first(attempt: Callable[[Target, Instance], Instance], lives: list[Placed]) -> Placed | None:
    for target, instance in lives:
        try:
            return target, attempt(target, instance)
        except DeployError as error:
            log.warning("The %s does not serve: %s", instance, error)
    return None


def _lives(found: list[Placed]) -> list[Placed]:
    return [pair for pair in found if pair[1].role == "live"]


def _that_serves(target: Target, instance: Instance) -> Instance:
    await_ready(instance, target.is_running, target.last_lines, seconds=_AGAIN_SECONDS)
    return instance


def _brought_back(target: Target, instance: Instance) -> Instance:
    again = target.start_again(instance)
    try:
        await_ready(again, target.is_running, target.last_lines, seconds=_AGAIN_SECONDS)
    except DeployError:
        target.halt(again)
        raise
    log.info("The %s serves again", again)
    return again


def _serves(instance: Instance) -> bool:
    return instance.role == "live" and instance.running


def _as_live(instance: Instance) -> Live:
    return Live(
        case=instance.case,
        version=instance.version,
        target=instance.target,
        instance=instance.id,
        url=instance.url,
    )
