"""What one version did with its share of the live requests so far."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import chain
from math import ceil
from typing import NamedTuple

from esteira.deploy.evidence import Served
from esteira.deploy.traffic import Seen

RECENT = 300
"""How many looks are judged besides the whole: a minute's, as the past must not hide what happens now."""
_KEPT = 50
"""Times that are kept of one look: more tell nothing more."""


class Look(NamedTuple):
    """What a version did between two looks."""

    requests: int
    errors: int
    times: tuple[float, ...]
    """Seconds of answers to /predict."""


class Tally:
    """The requests of one version's instances."""

    def __init__(self) -> None:
        self.requests = 0
        self.errors = 0
        """Those that failed for their callers, or that the gateway took away and gave to another instance."""
        self.recent: deque[Look] = deque(maxlen=RECENT)

    def add(self, seen: Sequence[Seen], retried: int = 0) -> None:
        """Add what was seen since the last look, and how many requests the gateway took away in it."""
        times = [
            one.seconds for one in seen if one.seconds is not None and one.predicts and one.status == 200
        ]
        failed = sum(one.failed for one in seen)
        self.recent.append(Look(len(seen) + retried, failed + retried, tuple(times[:_KEPT])))
        self.requests += len(seen) + retried
        self.errors += failed + retried

    def times(self) -> list[float]:
        """Seconds of the recent answers to /predict, sorted."""
        return sorted(chain.from_iterable(look.times for look in self.recent))

    def slowest(self, most: int) -> Iterator[tuple[int, float]]:
        """Of each recent look with answers: how many, at most `most`, and the slowest of these."""
        for look in self.recent:
            if times := look.times[:most]:
                yield len(times), max(times)

    @property
    def served(self) -> Served:
        p99 = percentile(self.times(), 0.99)
        return Served(
            requests=self.requests, errors=self.errors, p99_ms=None if p99 is None else round(p99 * 1e3, 3)
        )


def percentile(ordered: Sequence[float], share: float) -> float | None:
    """The smallest of the sorted numbers that at least `share` of them do not exceed."""
    return ordered[max(0, ceil(share * len(ordered)) - 1)] if ordered else None
