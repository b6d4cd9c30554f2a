"""One trial of a search: fitted and scored step by step, and given up as soon as it is not worth its time."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import numpy as np
import numpy.typing as npt
import optuna

from esteira.candidates import Single
from esteira.case import Case
from esteira.train.folds import Round, rounds
from esteira.train.imbalance import Lesson
from esteira.train.learn import answered, learned, lesson, sample, scored
from esteira.train.prepared import Prepared

SEARCH_ROWS = 50_000
"""A trial fits on at most so many rows of each round, and is scored on at most so many."""
_ENOUGH_ROWS = 5_000
"""Once a trial is scored on so many rows, further rounds would tell less than further trials."""
_FIRST_SHARE = 0.25
_FIRST_ROWS = 1_000
"""With one round only, a trial starts on a quarter of its rows, and on no fewer than these."""


@dataclass(frozen=True)
class Step:
    """A part of a trial: what it is fitted on, and rows [M, p] with their target [M] to score it on."""

    given: Lesson
    columns: npt.NDArray[np.float32]
    actual: npt.NDArray[Any]


@dataclass(frozen=True)
class Steps:
    """The steps of each trial: the rounds, or, where one is enough, some of its rows and then all."""

    rounds: int
    each: Sequence[Step]

    @classmethod
    def of(cls, case: Case, prepared: Prepared, candidate: Single) -> Steps:
        found = _enough(case, prepared)
        if len(found) > 1:
            rows = min(SEARCH_ROWS, candidate.max_rows)
            return cls(len(found), [_step(case, prepared, one, rows) for one in found])
        rows = min(SEARCH_ROWS, candidate.rows(len(prepared.target("train")[found[0].fit])))
        sizes = sorted({max(min(_FIRST_ROWS, rows), round(_FIRST_SHARE * rows)), rows})
        return cls(1, [_step(case, prepared, found[0], size) for size in sizes])

    def rows(self) -> list[int]:
        """How many rows each step is fitted on."""
        return [len(step.given.target) for step in self.each]


def _enough(case: Case, prepared: Prepared) -> list[Round]:
    """The last rounds, which in the order of time are those nearest to the holdout, or all of them."""
    found = rounds(case, prepared)
    scored_rows = [len(prepared.target(one.part)[one.score]) for one in found]
    wanted = 1
    while wanted < len(found) and sum(scored_rows[-wanted:]) < _ENOUGH_ROWS:
        wanted += 1
    return found[-wanted:]


def _step(case: Case, prepared: Prepared, one: Round, wanted: int) -> Step:
    actual = prepared.target(one.part)[one.score]
    chosen = sample(actual, SEARCH_ROWS)
    columns = prepared.columns(one.part)[one.score][chosen]
    return Step(lesson(case, prepared, one.fit, wanted), np.asarray(columns), actual[chosen])


def run(
    case: Case, prepared: Prepared, candidate: Single, steps: Steps, trial: optuna.Trial, deadline: float
) -> float:
    """The case's metric, a mean over the rounds that it is scored on.

    Raises TrialPruned when after a step the trial is poor, or cannot end before the deadline (by the
    monotonic clock), and CandidateError when the candidate fails.
    """
    started, rows, values = time.monotonic(), steps.rows(), list[float]()
    for place, step in enumerate(steps.each, 1):
        model = learned(case, candidate, step.given)
        found = answered(prepared, candidate, model, step.columns)
        values.append(scored(case, prepared, step.actual, found)[case.metric])
        trial.report(fmean(values[-steps.rounds :]), place)
        now = time.monotonic()
        ahead = (now - started) * sum(rows[place:]) / sum(rows[:place])
        if ahead and (trial.should_prune() or now + ahead > deadline):
            raise optuna.TrialPruned
    return fmean(values[-steps.rounds :])
