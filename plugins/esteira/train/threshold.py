"""From which probability of the second class on it is the answer, for the metric of a binary case."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

log = logging.getLogger("esteira")

Doubles = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]

HALF = 0.5
_CLEARANCE = 1e-6
"""How far a threshold must be from every probability it was chosen on, so that no rounding turns a label."""
_LEAST_ANSWERED = 0.5
"""For precision or recall alone, each class must be answered at least half as often as it occurs."""

_ONE_SIDED = frozenset({"precision", "recall"})


@dataclass(frozen=True)
class _Counts:
    """Of N rows, for each of T thresholds [T]: the second class rightly and wrongly answered, and missed."""

    tp: Doubles
    fp: Doubles
    fn: Doubles
    tn: Doubles

    @classmethod
    def of(cls, second: Doubles, actual: Whole, choices: Doubles) -> _Counts:
        negatives, positives = (np.sort(second[actual == place]) for place in (0, 1))
        fn, tn = (np.searchsorted(rows, choices).astype(np.float64) for rows in (positives, negatives))
        return cls(tp=len(positives) - fn, fp=len(negatives) - tn, fn=fn, tn=tn)

    @property
    def enough(self) -> npt.NDArray[np.bool_]:
        """Whether each class is answered often enough."""
        second = self.tp + self.fp >= _LEAST_ANSWERED * (self.tp + self.fn)
        first = self.tn + self.fn >= _LEAST_ANSWERED * (self.tn + self.fp)
        return second & first


# As `scores` has them: precision, recall and f1 are means over both classes.
_METRICS: Mapping[str, Callable[[_Counts], Doubles]] = {
    "accuracy": lambda of: (of.tp + of.tn) / (of.tp + of.fp + of.fn + of.tn),
    "balanced_accuracy": lambda of: (_share(of.tp, of.fn) + _share(of.tn, of.fp)) / 2,
    "recall": lambda of: (_share(of.tp, of.fn) + _share(of.tn, of.fp)) / 2,
    "precision": lambda of: (_share(of.tp, of.fp) + _share(of.tn, of.fn)) / 2,
    "f1": lambda of: (_share(of.tp, (of.fp + of.fn) / 2) + _share(of.tn, (of.fp + of.fn) / 2)) / 2,
}


def threshold(metric: str, second: Doubles, actual: Whole) -> float:
    """The best threshold by a metric, from the second class's probabilities [N] and the true places [N].

    0.5 for a metric that does not depend on it, and where nothing is better; else halfway between two
    probabilities that occur, of equally good ones the nearest to 0.5. Precision and recall alone reward
    answering one class nearly always, so for them only 0.5 counts, and thresholds by which each class is
    answered at least half as often as it occurs.
    """
    if metric not in _METRICS:
        return HALF
    choices = _choices(second)
    counts = _Counts.of(second, actual, choices)
    values = _METRICS[metric](counts)
    if metric in _ONE_SIDED:
        values = np.where(counts.enough | (choices == HALF), values, -np.inf)
    best = choices[values >= values.max() - 1e-12]
    chosen = float(best[np.argmin(np.abs(best - HALF))])
    log.info(
        "Threshold %.4f: %s %.4f instead of %.4f", chosen, metric, values.max(), values[choices == HALF][0]
    )
    return chosen


def _choices(second: Doubles) -> Doubles:
    """0.5, and the middles between neighbouring probabilities, in single precision as they are compared."""
    known = np.unique(second)
    middles = ((known[1:] + known[:-1]) / 2)[np.diff(known) > 2 * _CLEARANCE]
    return np.unique([HALF, *middles]).astype(np.float32).astype(np.float64)


def _share(part: Doubles, rest: Doubles) -> Doubles:
    return np.divide(part, part + rest, out=np.zeros_like(part), where=part + rest > 0)
