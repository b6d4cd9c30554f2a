"""How far two versions' answers to the same questions are apart."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from statistics import fmean

from esteira.deploy.ask import Said
from esteira.deploy.evidence import Answers, Comparison
from esteira.deploy.tally import percentile
from esteira.metadata import Answer

_KEPT = 10_000
"""Times that are kept of each version: the latest."""


class Compared:
    """What has been compared so far; `agrees` is the metadata's."""

    def __init__(self, agrees: Callable[[Answer, Answer], bool]) -> None:
        self._agrees = agrees
        self._old, self._new = _Side(), _Side()
        self._apart = _Mean()
        self._probabilities = _Mean()
        self.count = self._alike = 0

    def add(self, old: Said, new: Said) -> None:
        """Compare two answers to one question."""
        self._old.add(old)
        self._new.add(new)
        self.count += 1
        if not old.status == new.status == 200:
            self._alike += old.status == new.status and 0 < new.status < 500
            return
        before, now = old.content.get("prediction"), new.content.get("prediction")
        if not isinstance(before, int | float | str) or not isinstance(now, int | float | str):
            return
        self._alike += self._agrees(now, before)
        self._compare(old, new, before, now)

    def _compare(self, old: Said, new: Said, before: Answer, now: Answer) -> None:
        chances = old.content.get("probabilities"), new.content.get("probabilities")
        if isinstance(chances[0], dict) and isinstance(chances[1], dict):
            labels = chances[0].keys() | chances[1].keys()
            apart = [abs(chances[1].get(one, 0.0) - chances[0].get(one, 0.0)) for one in labels]
            self._probabilities.add(fmean(apart or [0.0]))
        elif not isinstance(before, str) and not isinstance(now, str):
            self._apart.add(abs(now - before))

    @property
    def agreement(self) -> float | None:
        """The share that both answered alike; None before any question."""
        return self._alike / self.count if self.count else None

    def comparison(self, case: str, seconds: float, dropped: int) -> Comparison:
        return Comparison(
            case=case,
            seconds=round(seconds, 1),
            compared=self.count,
            dropped=dropped,
            agreement=self.agreement,
            mean_difference=self._apart.mean,
            largest_difference=self._apart.largest,
            probability_difference=self._probabilities.mean,
            old=self._old.answers,
            new=self._new.answers,
        )


class _Side:
    """One version's answers."""

    def __init__(self) -> None:
        self._answered = self._errors = 0
        self._times: deque[float] = deque(maxlen=_KEPT)

    def add(self, said: Said) -> None:
        if said.status == 0 or said.status >= 500:
            self._errors += 1
            return
        self._answered += 1
        self._times.append(said.seconds)

    @property
    def answers(self) -> Answers:
        times = sorted(self._times)
        return Answers(
            answered=self._answered,
            errors=self._errors,
            median_ms=_ms(percentile(times, 0.5)),
            p99_ms=_ms(percentile(times, 0.99)),
        )


class _Mean:
    """The mean and the largest of numbers that come one by one; None before the first."""

    def __init__(self) -> None:
        self._count, self._total = 0, 0.0
        self.largest: float | None = None

    def add(self, number: float) -> None:
        self._count += 1
        self._total += number
        self.largest = max(number, self.largest or 0.0)

    @property
    def mean(self) -> float | None:
        return self._total / self._count if self._count else None


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1e3, 3)
