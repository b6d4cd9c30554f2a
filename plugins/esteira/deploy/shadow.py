"""Asks both versions copies of the live questions, unseen by the callers, and compares what they say."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from esteira.deploy.ask import Ask
from esteira.deploy.compared import Compared
from esteira.deploy.evidence import BreachError, Comparison
from esteira.deploy.traffic import Seen
from esteira.deploy.verdict import fails
from esteira.metadata import Answer

AT_ONCE = 50
"""Copies that may wait to be asked; more are dropped, so that what is asked is what is live now."""
ENOUGH = 20
"""Questions before an agreement that is too low means anything."""
_READ = 0.1
_SAY = 5.0


class Copies(Protocol):
    """What a shadow asks of the traffic."""

    def read(self, seconds: float) -> list[Seen]: ...


def shadow(
    traffic: Copies,
    case: str,
    old: Ask,
    new: Ask,
    share: int,
    seconds: float,
    set_share: Callable[[str, int], None],
    say: Callable[[str], None],
    *,
    agrees: Callable[[Answer, Answer], bool],
    agreement: float | None,
    errors: float,
    clock: Callable[[], float] = time.monotonic,
) -> Comparison:
    """How the answers of `new` differ from those of `old` to `share` percent of a case's live questions.

    One question is asked at a time, so that the old version hardly notices either. `set_share` has the
    gateway copy questions, and none any more however this ends; `agrees` is the metadata's.
    Raises BreachError, with the comparison, when less than `agreement` of the answers agree, or when the new
    version fails to answer more than the share `errors` of them, and more than the old one does.
    """
    compared, dropped = Compared(agrees), 0
    begun = said = clock()
    set_share(case, share)
    try:
        while (left := begun + seconds - clock()) > 0:
            seen = traffic.read(min(_READ, left))
            bodies = [one.body for one in seen if one.case == case and one.body is not None]
            dropped += len(bodies[AT_ONCE:])
            for body in bodies[:AT_ONCE]:
                compared.add(old(body), new(body))
            if clock() - said >= _SAY:
                said = clock()
                say(f"{said - begun:.0f} of {seconds:.0f} s: {compared.count} questions asked of both")
    finally:
        set_share(case, 0)
    comparison = compared.comparison(case, clock() - begun, dropped)
    if reason := _breach(comparison, agreement, errors):
        raise BreachError(comparison, f"The new version of {case!r} {reason}")
    return comparison


def _breach(found: Comparison, agreement: float | None, errors: float) -> str | None:
    if reason := fails((found.compared, found.old.errors), (found.compared, found.new.errors), errors):
        return f"is worse: {reason}"
    if agreement is not None and found.compared >= ENOUGH and (found.agreement or 0.0) < agreement:
        return f"agrees with the old one on less than {agreement:.1%}"
    return None
