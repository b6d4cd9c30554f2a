"""The best candidates together: how much each counts is chosen on the rows that they are compared on."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

import joblib
import numpy as np
import numpy.typing as npt

from esteira.candidates import Ensemble
from esteira.case import LOWER_IS_BETTER, Case
from esteira.train.export import export_model
from esteira.train.fitted import Fitted
from esteira.train.folds import judged_target
from esteira.train.learn import sample, scored
from esteira.train.means import (
    GeometricMeanRegressor,
    MeanClassifier,
    MeanRegressor,
    geometric_mean,
    mean,
)
from esteira.train.prepared import Prepared

log = logging.getLogger("esteira")

Doubles = npt.NDArray[np.float64]

_PICKS = 12
"""How often a member is picked, so that no weight but 0 is below a twelfth."""
_ROWS = 5_000
"""On at most so many rows the picks are compared."""
_GAIN = 1e-9
"""A mean that is better by less, relative to the metric, is not better."""


def combine(case: Case, prepared: Prepared, candidate: Ensemble, fitted: Sequence[Fitted]) -> Fitted:
    """The best of the fitted candidates together, scored on the same rows as they were.

    Its scores are a little kinder than theirs, because its weights were chosen on those rows; `bound`
    says so. Where no second member makes it better, it is the best candidate over again.
    """
    started = time.monotonic()
    best_first = sorted(fitted, key=lambda one: _loss(case, one.scores))
    members, weights = _picked(best_first, _weights(case, prepared, best_first, candidate.members))
    answers = _average(case)([one.answered() for one in members], weights)
    model = _together(case, [one.estimator() for one in members], weights)
    found = Fitted(
        candidate=candidate,
        scores=scored(case, prepared, judged_target(case, prepared), answers),
        seconds=round(time.monotonic() - started, 3),
        bound=_bound(members, weights),
        model=prepared.folder / "ensemble.joblib",
        graph=prepared.folder / "ensemble.onnx",
        answers=prepared.folder / "ensemble.answers.npy",
    )
    np.save(found.answers, answers)
    joblib.dump(model, found.model, compress=3)
    found.graph.write_bytes(export_model(model, prepared.columns("train").shape[1], case.task))
    log.info("The ensemble is %s", found.bound)
    return found


def _weights(case: Case, prepared: Prepared, best_first: Sequence[Fitted], most: int) -> list[float]:
    """How much each candidate counts, at most so many of them, by greedy selection with replacement.

    Whichever makes the mean best is picked once more, and the best mean on the way stays (Caruana,
    Niculescu-Mizil, Crew and Ksikes 2004, "Ensemble selection from libraries of models", 2.1 and 2.2).
    A candidate that is poor alone, because it is too sure, may be what the others lack.
    """
    actual = judged_target(case, prepared)
    rows = sample(actual, _ROWS)
    target, answers, average = actual[rows], [one.answered()[rows] for one in best_first], _average(case)

    def loss(picks: npt.NDArray[np.int64]) -> float:
        chosen = np.flatnonzero(picks)
        mixed = average([answers[place] for place in chosen], picks[chosen] / picks.sum())
        return _loss(case, scored(case, prepared, target, mixed))

    once = np.eye(len(answers), dtype=np.int64)
    picks = kept = once[0]
    least = loss(picks)
    for _ in range(_PICKS - 1):
        losses = {
            place: loss(picks + once[place])
            for place in range(len(answers))
            if picks[place] or np.count_nonzero(picks) < most
        }
        place = min(losses, key=losses.__getitem__)
        picks = picks + once[place]
        if losses[place] < least - _GAIN * abs(least):
            least, kept = losses[place], picks
    return [float(weight) for weight in kept / kept.sum()]


def _picked(members: Sequence[Fitted], weights: Sequence[float]) -> tuple[list[Fitted], list[float]]:
    chosen = [place for place, weight in enumerate(weights) if weight]
    return [members[place] for place in chosen], [weights[place] for place in chosen]


def _loss(case: Case, scores: dict[str, float]) -> float:
    return scores[case.metric] * (1 if case.metric in LOWER_IS_BETTER else -1)


def _average(case: Case) -> Callable[[Sequence[Doubles], Sequence[float]], Doubles]:
    return geometric_mean if case.train.log_target else mean


def _together(case: Case, models: Sequence[Any], weights: Sequence[float]) -> Any:
    if case.task == "classification":
        return MeanClassifier(models, weights)
    return (GeometricMeanRegressor if case.train.log_target else MeanRegressor)(models, weights)


def _bound(members: Sequence[Fitted], weights: Sequence[float]) -> str:
    if len(members) == 1:
        return f"{members[0].name} alone: no other candidate makes it better"
    shares = " + ".join(f"{weight:.0%} {one.name}" for one, weight in zip(members, weights, strict=True))
    return f"{shares}; the shares were chosen on the rows that candidates are compared on"
