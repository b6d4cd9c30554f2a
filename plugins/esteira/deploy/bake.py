"""Watches a new version on its share of the live requests, and ends the watch when it does worse."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Protocol

from esteira.case import Release
from esteira.deploy.evidence import BreachError, Evidence
from esteira.deploy.tally import Tally
from esteira.deploy.traffic import Health, Seen
from esteira.deploy.verdict import breach

LOOK = 0.2
"""Seconds between two judgements."""
_SAY = 5.0


class Watched(Protocol):
    """What a bake asks of the traffic."""

    def read(self, seconds: float) -> list[Seen]: ...
    def health(self, case: str) -> Mapping[str, Health]: ...


def bake(
    traffic: Watched,
    case: str,
    old: frozenset[str],
    new: frozenset[str],
    limits: Release,
    seconds: float,
    say: Callable[[str], None],
    *,
    alive: Callable[[], str | None] = lambda: None,
    clock: Callable[[], float] = time.monotonic,
) -> Evidence:
    """What the instances `new` of a case did beside its `old` ones in so many seconds.

    Judged five times a second; `alive` says why an instance of the new version ended, None while all run.
    Raises BreachError, with the evidence, as soon as the new version does worse than the limits.
    """
    watch = _Watch(traffic, case, old, new)
    begun = said = clock()
    while (now := clock()) < begun + seconds:
        watch.look(min(LOOK, begun + seconds - now))
        reason = alive() or watch.down() or breach(watch.old, watch.new, limits)
        if reason:
            raise BreachError(
                watch.evidence(clock() - begun, reason), f"The new version of {case!r} is worse"
            )
        if clock() - said >= _SAY:
            said = clock()
            say(f"{said - begun:.0f} of {seconds:.0f} s: new: {watch.new.served}; old: {watch.old.served}")
    return watch.evidence(clock() - begun, _passed(watch, seconds))


class _Watch:
    """Both versions of a case, since it was begun."""

    def __init__(self, traffic: Watched, case: str, old: frozenset[str], new: frozenset[str]) -> None:
        self.old, self.new = Tally(), Tally()
        self._traffic, self._case, self._old, self._new = traffic, case, old, new
        self._health = traffic.health(case)

    def look(self, seconds: float) -> None:
        seen = [one for one in self._traffic.read(seconds) if one.case == self._case]
        before, self._health = self._health, self._traffic.health(self._case)
        for tally, servers in ((self.old, self._old), (self.new, self._new)):
            retried = sum(
                self._health[one].retried - before[one].retried
                for one in servers & before.keys() & self._health.keys()
            )
            tally.add([one for one in seen if one.server in servers], max(0, retried))

    def down(self) -> str | None:
        """Which instance of the new version the gateway gets no answer from, as a sentence."""
        silent = sorted(name for name in self._new if name in self._health and not self._health[name].up)
        return f"{', '.join(silent)} does not answer the gateway's health checks" if silent else None

    def evidence(self, seconds: float, verdict: str) -> Evidence:
        total = self.old.requests + self.new.requests
        return Evidence(
            case=self._case,
            seconds=round(seconds, 1),
            share=round(self.new.requests / total, 4) if total else 0.0,
            old=self.old.served,
            new=self.new.served,
            verdict=verdict,
        )


def _passed(watch: _Watch, seconds: float) -> str:
    old, new = watch.old.served, watch.new.served
    if not new.requests:
        who = "no request came" if not old.requests else "the new version got no request"
        return f"{who} in the {seconds:.0f} s; nothing was learnt"
    beside = f"the old: {old}" if old.requests else "the old got no request to compare it with"
    return f"no worse than the limits in {seconds:.0f} s: {new}; {beside}"
