"""Whether a new version does worse than its limits, beyond what chance explains."""

from __future__ import annotations

from statistics import fmean

from esteira.case import Release
from esteira.deploy.chance import binomial_tail, hypergeometric_tail
from esteira.deploy.tally import Tally, percentile

CHANCE = 1e-4
"""How unlikely a difference must be: so small because it is looked for five times a second."""
FEWEST = 3
"""One or two of anything are no evidence."""
ENOUGH = 100
"""Answers of the old version before its percentiles mean anything."""
FLOOR = 0.001
"""Seconds that answers may be slower whatever the ratio says: less is the machine's jitter."""
_SHARES = (0.9, 0.99)


def breach(old: Tally, new: Tally, limits: Release) -> str | None:
    """What the new version does worse than it may, as a sentence; None while nothing is proven."""
    return (
        fails((old.requests, old.errors), (new.requests, new.errors), limits.errors)
        or fails(_recent(old), _recent(new), limits.errors)
        or _is_slow(old, new, limits.p99_ratio)
    )


def _recent(tally: Tally) -> tuple[int, int]:
    return sum(look.requests for look in tally.recent), sum(look.errors for look in tally.recent)


def fails(old: tuple[int, int], new: tuple[int, int], allowed: float) -> str | None:
    """Whether more of its requests failed than are allowed, and than of the old version's, as a sentence.

    Each version's are (requests, errors).
    """
    (old_requests, old_errors), (requests, errors) = old, new
    if errors < FEWEST or binomial_tail(errors, requests, allowed) > CHANCE:
        return None
    both = old_errors + errors, old_requests + requests
    if old_errors and hypergeometric_tail(errors, requests, *both) > CHANCE:
        return None
    return (
        f"{errors} of its {requests} requests failed ({errors / requests:.1%}; {allowed:.1%} are allowed), "
        f"of the old version's {old_errors} of {old_requests}"
    )


def _is_slow(old: Tally, new: Tally, ratio: float) -> str | None:
    """The p99 is above the limit; and the slowest tenth or hundredth of answers is, by more than chance."""
    before, now = old.times(), new.times()
    if len(before) < ENOUGH or not now:
        return None
    old_p99, new_p99 = percentile(before, 0.99) or 0.0, percentile(now, 0.99) or 0.0
    if new_p99 <= _limit(old_p99, ratio):
        return None
    if not any(_slower(share, _limit(percentile(before, share) or 0.0, ratio), new) for share in _SHARES):
        return None
    return (
        f"the p99 of its answers is {new_p99 * 1e3:.1f} ms, the old version's {old_p99 * 1e3:.1f} ms; "
        f"{ratio:g} times that is allowed"
    )


def _limit(seconds: float, ratio: float) -> float:
    return max(ratio * seconds, seconds + FLOOR)


def _slower(share: float, limit: float, new: Tally) -> bool:
    """Whether more looks held an answer above `limit` than if only 1 - `share` of the answers were.

    Looks are counted, not answers: a stall of the machine makes many answers slow, but only one look.
    Of each look so few answers are judged that a look of a usual version rarely holds a slow one.
    """
    looks = list(new.slowest(round(0.3 / (1 - share))))
    slow = sum(slowest > limit for _, slowest in looks)
    expected = fmean(1 - share**answers for answers, _ in looks)
    return slow >= FEWEST and binomial_tail(slow, len(looks), expected) < CHANCE
